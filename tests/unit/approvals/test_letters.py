import re
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.canonical import CanonicalReply, Way
from approvals.executors.email import letter_of
from approvals.rendering import as_html, is_addr_spec, is_message_id, one_line, plain, subject_of_reply
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ActionId, RunId, TicketId, new_id
from tests.fixtures.inbound import START

REPLY = CanonicalReply(
    workspace=DEFAULT_WORKSPACE, ticket=TicketId(new_id()), source="standard", external_ticket="1", revision=1,
    seen_until=START, run=RunId(new_id()), action=ActionId(new_id()), way=Way.EMAIL, live=False, clauses=(),
    nonce="0" * 64, sender="help@shop.example", to=("anna@example.com",), subject="Re: Order", text="Dear Anna",
    html="<p>Dear Anna</p>",
    headers=(("Message-ID", "<1@shop.example>"), ("Date", "Mon, 02 Nov 2026 09:30:00 +0000")),
)  # fmt: skip


@settings(deadline=None)
@given(text=st.text(max_size=300), subject=st.text(max_size=300))
def test_no_text_can_add_a_header_or_a_recipient(text: str, subject: str) -> None:
    reply = REPLY.model_copy(
        update={"text": plain(text) or "x", "html": as_html(text), "subject": subject_of_reply(subject)}
    )
    letter = letter_of(reply)
    read = message_from_bytes(letter.content, policy=policy.default)
    assert set(read.keys()) == {"From", "To", "Subject", "Message-ID", "Date", "MIME-Version", "Content-Type"}
    assert (read["To"], letter.recipients) == ("anna@example.com", ("anna@example.com",))
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == reply.text.rstrip("\n")


def test_the_same_action_is_the_same_letter() -> None:
    assert letter_of(REPLY) == letter_of(CanonicalReply.model_validate_json(REPLY.model_dump_json()))


@pytest.mark.parametrize(
    "update",
    [{"subject": "Hi\r\nBcc: eve@example.com"}, {"headers": (("References", "b\nBcc: eve@example.com"),)},
     {"headers": (("X\nBcc: eve@example.com", "b"),)}],
)  # fmt: skip
def test_a_line_break_in_a_header_is_refused(update: dict[str, object]) -> None:
    with pytest.raises((ValueError, SupportError), match=r"."):
        letter_of(REPLY.model_copy(update=update))


@pytest.mark.parametrize(
    "update", [{"to": ("a@b.example, c@d.example",)}, {"cc": ("x",)}, {"sender": "Shop <a@b.example>"}]
)
def test_an_address_that_is_not_bare_is_refused(update: dict[str, object]) -> None:
    with pytest.raises(SupportError):
        letter_of(REPLY.model_copy(update=update))


@pytest.mark.parametrize("address", ["anna@example.com", "a.b+c@x-y.example.co", "o'brien@example.ie"])
def test_ordinary_addresses_are_addresses(address: str) -> None:
    assert is_addr_spec(address)


@given(st.text(max_size=80))
def test_an_address_has_one_at_and_nothing_that_ends_a_line(text: str) -> None:
    if is_addr_spec(text):
        assert text.count("@") == 1
        assert not set(text) & set(' \t\r\n,;:<>()[]\\"')
        assert text.isascii()


def test_message_ids_are_strict() -> None:
    assert is_message_id("<CAF=x+1@mail.example.com>")
    for bad in ("a@b", "<a@b> <c@d>", "<a@b\r\nX: y>", "<a b@c>", "<@>", "<" + "a" * 400 + "@b>"):
        assert not is_message_id(bad)


def test_subjects_get_one_re() -> None:
    assert subject_of_reply("RE: re: Order\r\nBcc: x") == "Re: Order Bcc: x"
    assert subject_of_reply("") == "Re: your message"
    assert one_line("a\u202eb\x00c\u2028d") == "abc d"


def test_html_in_a_text_is_text() -> None:
    made = as_html("Dear <b>Anna</b>\n& co\n\nBye <script>alert(1)</script>")
    assert made.replace("\n", "") == (
        "<p>Dear &lt;b&gt;Anna&lt;/b&gt;<br>&amp; co</p><p>Bye &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    )


def test_markdown_becomes_a_few_harmless_tags() -> None:
    made = as_html("**Two** steps:\n\n1. Pack it\n2. Post it\n\n[Track it](https://shop.example/t?a=1&b=2)").replace(
        "\n", ""
    )
    assert made == (
        "<p><strong>Two</strong> steps:</p><ol><li>Pack it</li><li>Post it</li></ol>"
        '<p><a href="https://shop.example/t?a=1&amp;b=2" rel="noopener nofollow">Track it</a></p>'
    )


@pytest.mark.parametrize(
    "text",
    ["[x](javascript:alert(1))", "![x](https://evil.example/pixel.png)", "<img src=x onerror=alert(1)>",
     "[x](data:text/html,1)", "<https://a.example/ onmouseover=1>", "[a]: https://evil.example\n\n[a]"],
)  # fmt: skip
def test_nothing_in_a_text_runs_or_is_fetched(text: str) -> None:
    made = as_html(text)
    assert set(re.findall(r"<(\w+)", made)) <= {"p", "a"}
    assert not re.findall(r'href="(?!https?:|mailto:)', made)


@pytest.mark.parametrize(
    "text", ["Order A-1001\n---", "# 12 is shipped", "    indented", "4. May is fine", "2 * 3 * 4"]
)
def test_a_plain_sentence_stays_one(text: str) -> None:
    made = as_html(text)
    assert not any(tag in made for tag in ("<h", "<pre", "<em", "<hr", "<code"))
    assert "4" not in text[:1] or '<ol start="4">' in made


def test_a_link_shows_no_other_scheme_than_web_and_mail() -> None:
    assert 'href="mailto:help@shop.example"' in as_html("<help@shop.example>")
    assert "href" not in as_html("[call](tel:123)")

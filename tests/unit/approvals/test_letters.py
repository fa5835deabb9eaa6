from email import message_from_bytes, policy

import pytest
from hypothesis import given
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


def test_html_is_escaped_text_in_paragraphs() -> None:
    assert as_html("Dear <b>Anna</b>\n& co\n\nBye") == "<p>Dear &lt;b&gt;Anna&lt;/b&gt;<br>&amp; co</p><p>Bye</p>"

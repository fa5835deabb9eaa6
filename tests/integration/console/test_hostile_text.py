"""Text from outside is shown, never obeyed: in every field of every page."""

import pytest

from support_agents.domain.action import SendReply
from support_agents.domain.approval import Role
from support_agents.domain.sections import Verdict
from tests.fixtures.console import EMAIL, Desk, attachment, checked

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(2)><p hx-get="/console" hx-trigger="load">'
    "'</textarea></title><!--{{7*7}}\u202eevil\u200b\0"
)
HTML = (
    '<p hx-post="/console/sign-out" hx-trigger="load" style="position:fixed" onclick="x()">formatted</p>'
    "<script>alert(3)</script></div></main><img src='https://evil.example/x.gif'><form><input name=csrf></form>"
)
TAGS = {"script": 2, "img": 0, "iframe": 0, "style": 0}


def harmless(page: str) -> None:
    """Everything hostile is text: no tag of theirs, no attribute of theirs, nothing hidden."""
    read = checked(page)
    for tag, most in TAGS.items():
        assert sum(name == tag for name, _ in read.tags) == most, tag
    for tag, given in read.tags:
        for name, value in given.items():
            assert not name.startswith(("data-hx", "onerror")), (tag, name)
            if name.startswith("hx-") and name not in {"hx-ignore", "hx-disable"}:
                assert "sign-out" not in str(value)
                assert given.get("id") in {"live", "state"} or tag == "form"
    assert "\u202e" not in page
    assert "\u200b" not in page
    assert "\0" not in page
    assert "49" not in page.partition("{{")[2][:12]


async def test_every_page_shows_hostile_text_as_text(desk: Desk) -> None:
    admin = await desk.browser(Role.ADMIN)
    ticket = await desk.ticket(
        text=f"{HOSTILE}\n\nOn Monday, X wrote:\n> {HOSTILE}", html=HTML, attachments=(attachment(HOSTILE),)
    )
    (request,) = await desk.proposed(
        SendReply(to=EMAIL, subject=HOSTILE, text=HOSTILE), ticket=ticket, text=HOSTILE, verdict=Verdict.FLAGGED
    )
    await desk.proposed(text=HOSTILE)
    await desk.installation.send({"type": HOSTILE})
    paths = ("", "/tickets", "/tickets?waiting=1", f"/tickets/{ticket}", f"/requests/{request}", "/activity")
    for path in paths:
        page = (await admin.get(f"/console{path}")).text
        harmless(page)
        if path != "/activity":
            assert "&lt;script&gt;" in page, path
            assert "⟦U+202E⟧" in page, path
    page = (await admin.get(f"/console/requests/{request}")).text
    assert "<p>formatted</p>" in page
    assert '<mark class="unseen">⟦U+202E⟧</mark>' in page
    assert page.index("Quoted history") > page.index("Customer’s words")
    for part in ("/queue/lists", f"/requests/{request}/state"):
        assert "<script" not in (await admin.get(f"/console{part}")).text


async def test_the_order_of_the_request_page(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    page = (await ann.get(f"/console/requests/{request}")).text
    parts = (
        "Customer’s words",
        "A-1001 · Kettle",
        "Exact reply",
        "4 facts, 4 confirmed",
        'data-key="a"',
        'data-key="e"',
        'data-key="r"',
        "Evidence",
        "<mark>Parcels leave within a day.</mark>",
        "Timing",
        "Digest",
    )
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


async def test_the_field_of_an_edit_holds_the_exact_text(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply(f"Dear Anna,\n\n  {HOSTILE}".replace("\0", ""))
    page = (await ann.get(f"/console/requests/{request}/edit")).text
    assert "Dear Anna,\n\n  &#34;&gt;&lt;script&gt;" in page
    assert "\u202eevil\u200b</textarea>" in page


@pytest.mark.parametrize(
    "path",
    ["?after=nonsense", "?after=%00", "/tickets?after=nonsense", "/activity?hours=0", "/tickets?waiting=7", "/nothing",
     "/requests/%3Cscript%3E"],
)  # fmt: skip
async def test_a_nonsense_address_is_a_page_of_its_own(desk: Desk, path: str) -> None:
    answer = await (await desk.browser()).get(f"/console{path}")
    assert answer.status_code in {400, 404, 422}
    assert "<script>" not in answer.text

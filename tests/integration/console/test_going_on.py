"""After a decision the page goes on to what the person may decide next, and says what they have just decided."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from api.console.pages.decided import just_decided
from support_agents.domain.action import SendReply
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, WorkspaceId
from support_agents.domain.money import Money
from tests.fixtures.approvals import ORDER, set_column
from tests.fixtures.console import Browser, Desk, checked
from tests.fixtures.factor import enrolled, forget
from tests.fixtures.installation import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ABOVE = re.compile(r'<section id="decided".*?</section>', re.DOTALL)
_UNDO = re.compile(r'action="(/console/executions/[0-9a-f-]+/undo)"')
_HIDDEN = re.compile(r'name="(csrf|request|on)" value="([^"]+)"')


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def alone(desk: Desk) -> None:
    """Nothing of an earlier test waits, and nobody looks at anything."""
    await desk.alone()


async def executing(desk: Desk, request: RequestId) -> ExecutionStatus | None:
    async with desk.installation.container.database.read() as uow:
        found = await uow.executions.by_request(request)
    return found.status if found else None


async def next_of(browser: Browser, request: RequestId, verb: str = "approve", **fields: str) -> str:
    """Decide and return the address of the page that comes next."""
    answer = await browser.decide(request, verb, **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def above(text: str) -> str:
    """What a page says of the decision before."""
    found = _ABOVE.search(text)
    return found[0] if found else ""


async def order(desk: Desk, number: str, minor: int = 4_990) -> RequestId:
    """A refund of an order of its own."""
    return await desk.refund(ORDER.model_copy(update={"order_id": number, "total": Money(minor=minor, currency="EUR")}))


async def test_it_goes_through_the_queue_in_its_order_and_ends_at_its_end(desk: Desk) -> None:
    ann = await desk.browser()
    reply, first, second = await desk.reply(), await order(desk, "N-1"), await order(desk, "N-2")
    here = await next_of(ann, first)
    assert here == f"/console/requests/{second}?done={first}"
    said = above((await ann.get(here)).text)
    for words in ("Approved", "€49.90 to the account ending in 4242", "Anna", "My order", "Undo"):
        assert words in said
    assert f'href="/console/requests/{first}"' in said
    here = await next_of(ann, second, "reject", reason="not this one")
    assert here == f"/console/requests/{reply}?done={second}"
    said = above((await ann.get(here)).text)
    assert "Rejected" in said
    assert "The ticket is with people again." in said
    assert "/undo" not in said
    here = await next_of(ann, reply)
    assert here == f"/console?done={reply}"
    page = (await ann.get(here)).text
    assert "reply to anna@example.com" in above(page)
    assert "Nothing is left for you to decide." in page
    assert "Nothing is left for you to decide." not in (await ann.get("/console")).text


async def test_from_the_middle_it_goes_on_after_it_and_then_from_the_top(desk: Desk) -> None:
    ann = await desk.browser()
    first, second, third = [await order(desk, f"M-{number}") for number in range(3)]
    assert (await next_of(ann, second)).startswith(f"/console/requests/{third}?")
    assert (await next_of(ann, third)).startswith(f"/console/requests/{first}?")


async def test_the_next_is_claimed_so_that_two_people_do_not_meet(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    first, second, third, fourth = [await desk.reply() for _ in range(4)]
    assert (await next_of(ann, first)).startswith(f"/console/requests/{second}?")
    assert (await next_of(max_, fourth)).startswith(f"/console/requests/{third}?")  # Ann looks at the second
    assert (await next_of(ann, second)) == f"/console?done={second}"  # Max looks at the third
    assert "Others look at what is left for you to decide." in (await ann.get(f"/console?done={second}")).text


async def test_nothing_comes_next_that_the_person_may_not_decide(desk: Desk) -> None:
    ann = await desk.browser()
    first = await desk.reply()
    for_two = await order(desk, "T-1", minor=20_000)
    own_ticket = await desk.reply()
    last = await desk.reply()
    container = desk.installation.container
    async with container.database.write("test") as uow:
        await set_column(
            uow, "tickets", "requester_email", "Approver+x@support.example", await desk.ticket_of(own_ticket)
        )
    assert (await next_of(ann, first)) == f"/console/requests/{last}?done={first}"
    # Money for two people, of them a manager: Ann may be the first of them, once.
    here = await next_of(ann, last)
    assert here == f"/console/requests/{for_two}?done={last}"
    here = await next_of(ann, for_two)
    assert here == f"/console?done={for_two}"
    page = (await ann.get(here)).text
    assert "Your approval is counted" in above(page)
    assert "needs 2 people, of them a manager; 1 so far" in above(page)
    assert "Nothing is left for you to decide." in page
    bob = await another_approver(desk)
    reply = await desk.reply()
    # It awaits a manager, and Bob is none.
    async with container.database.write("test") as uow:
        await set_column(uow, "approval_requests", "status", RequestStatus.SUPERSEDED, own_ticket)
    assert (await next_of(bob, reply)) == f"/console?done={reply}"
    max_ = await desk.browser(Role.MANAGER)
    another = await desk.reply()
    assert (await next_of(max_, another)) == f"/console/requests/{for_two}?done={another}"


async def test_nobody_goes_on_to_a_check_that_they_planted(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    planted = await desk.planted(max_)
    first, second = await desk.reply(), await desk.reply()
    assert (await next_of(max_, first)) == f"/console/requests/{second}?done={first}"
    assert (await next_of(max_, second)) == f"/console?done={second}"
    third = await desk.reply()
    assert (await next_of(ann, third)) == f"/console/requests/{planted}?done={third}"
    said = above((await ann.get(await next_of(ann, planted))).text)
    assert "This draft was known to be bad" in said


async def another_approver(desk: Desk) -> Browser:
    """Somebody else with the role of an approver."""
    email = "bob@support.example"
    await desk.installation.container.auth.add_operator(
        DEFAULT_WORKSPACE, email=email, name="Bob", role=Role.APPROVER, password=PASSWORD
    )
    browser = await desk.browser(None)
    await browser.post("/console/sign-in", on="/console/sign-in", email=email, password=PASSWORD)
    return browser


async def test_undo_from_the_next_page_comes_back_to_it(desk: Desk) -> None:
    ann = await desk.browser()
    first, second = await desk.reply(), await desk.reply()
    here = await next_of(ann, first)
    answer = await undone(ann, here)
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    said = above((await ann.get(here)).text)
    assert "Undone: nothing was sent" in said
    assert "/undo" not in said
    assert await executing(desk, first) is ExecutionStatus.CANCELLED
    assert await desk.status(second) is RequestStatus.PENDING
    here = await next_of(ann, second)
    answer = await undone(ann, here)
    assert answer.headers["location"] == here == f"/console?done={second}"


async def undone(browser: Browser, here: str) -> httpx.Response:
    """Send the form of Undo as it stands above a page."""
    said = above((await browser.get(here)).text)
    form = _UNDO.search(said)
    assert form is not None, said
    return await browser.client.post(form[1], data=dict(_HIDDEN.findall(said)))


async def test_undo_comes_back_to_no_other_place(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    said = above((await ann.get(await next_of(ann, request))).text)
    form, hidden = _UNDO.search(said), dict(_HIDDEN.findall(said))
    assert form is not None
    for place in ("https://evil.example", "//evil.example", "../../v1"):
        assert (await ann.client.post(form[1], data=hidden | {"on": place})).status_code == 422
    assert await executing(desk, request) is ExecutionStatus.SCHEDULED


async def test_too_late_to_undo_is_said_on_the_requests_own_page(desk: Desk) -> None:
    ann, first, _ = await desk.browser(), await desk.reply(), await desk.reply()
    here = await next_of(ann, first)
    said = above((await ann.get(here)).text)
    form, hidden = _UNDO.search(said), dict(_HIDDEN.findall(said))
    assert form is not None
    await ann.client.post(form[1], data=hidden)
    again = await ann.client.post(form[1], data=hidden)
    assert again.status_code == 409
    checked(again.text)
    assert "It can no longer be taken back" in again.text
    assert f'/console/requests/{first}/state"' in again.text or "Undone: nothing was sent" in again.text


async def test_it_counts_down_where_scripts_run_and_draws_the_window_where_none_do(desk: Desk) -> None:
    ann, first, second = await desk.browser(), await desk.reply(), await desk.reply()
    said = above((await ann.get(await next_of(ann, first))).text)
    assert f'hx-get="/console/requests/{first}/decided?on={second}" hx-trigger="every 1s"' in said
    assert re.search(r'<animate attributeName="width" from="\d+" to="0" dur="\d+s"', said)
    part = (await ann.get(f"/console/requests/{first}/decided?on={second}")).text
    assert part.lstrip().startswith('<section id="decided"')
    assert "autofocus" not in part
    assert f'name="on" value="{second}"' in part


async def test_nobody_is_told_of_anothers_decision(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    first, second = await desk.reply(), await desk.reply()
    await next_of(ann, first)
    for done in (str(first), str(second), str(uuid4()), "nonsense", "<b>Approved</b>", "", "é" * 60):
        for place in ("/console", f"/console/requests/{second}"):
            answer = await max_.client.get(place, params={"done": done})
            assert (answer.status_code, above(answer.text)) == (200, ""), done
            assert "<b>Approved</b>" not in answer.text
    part = (await max_.get(f"/console/requests/{first}/decided")).text
    assert "Approved" not in part
    # Nor is the same person's from another workspace.
    container = desk.installation.container
    interactive = await container.auth.session(ann.client.cookies["support_session"])
    assert interactive is not None
    assert await just_decided(str(first), "queue", interactive, container) is not None
    elsewhere = replace(interactive, person=replace(interactive.person, workspace=WorkspaceId(uuid4())))
    assert await just_decided(str(first), "queue", elsewhere, container) is None


async def test_a_request_does_not_stand_above_itself(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    await next_of(ann, request)
    assert above((await ann.get(f"/console/requests/{request}?done={request}")).text) == ""


async def test_focus_goes_to_what_was_done_and_never_to_a_button(desk: Desk) -> None:
    ann, first, _ = await desk.browser(), await desk.reply(), await desk.reply()
    page = checked((await ann.get(await next_of(ann, first))).text)
    focused = [(tag, given.get("class"), given.get("tabindex")) for tag, given in page.tags if "autofocus" in given]
    assert focused == [("div", "just-decided", "-1")]


async def test_a_click_on_a_page_that_came_just_now_decides_nothing(desk: Desk) -> None:
    ann, first, second = await desk.browser(), await desk.reply(), await desk.reply()
    desk.still(timedelta(hours=1))
    assert "shown" in await ann.form(first)
    for verb, fields in (("approve", {}), ("reject", {"reason": "in haste"})):
        answer = await ann.decide(first, verb, **fields)
        assert answer.status_code == 409
        assert "This page came up a moment ago: look at it, then decide" in checked_text(answer)
    assert await desk.status(first) is RequestStatus.PENDING
    desk.still(timedelta())
    here = await next_of(ann, first)
    # The second click of a double click, on the page that has come beneath the finger.
    desk.still(timedelta(seconds=30))
    assert (await ann.decide(second, "approve")).status_code == 409
    assert here == f"/console/requests/{second}?done={first}"
    assert (await desk.status(second), await executing(desk, second)) == (RequestStatus.PENDING, None)


def checked_text(answer: httpx.Response) -> str:
    checked(answer.text)
    return answer.text


async def test_when_a_page_was_shown_is_ours_to_say(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    first, second = await desk.reply(), await desk.reply()
    mine, others, another = await ann.form(first), await max_.form(first), await ann.form(second)
    moment, _, seal = mine["shown"].partition(".")
    earlier = f"{int(moment) - 3_600_000_000}.{seal}"
    for shown in ("", "0", earlier, others["shown"], another["shown"], f"{moment}.", f"-1.{seal}", "é.é"):
        answer = await ann.client.post(f"/console/requests/{first}/approve", data=mine | {"shown": shown})
        assert answer.status_code == 422, shown
        assert "This form is not one that you were shown" in checked_text(answer)
    assert await desk.status(first) is RequestStatus.PENDING
    assert (await ann.client.post(f"/console/requests/{first}/approve", data=mine)).status_code == 303


async def test_a_form_sent_twice_says_the_same_and_leaves_the_next_alone(desk: Desk) -> None:
    ann, first, second = await desk.browser(), await desk.reply(), await desk.reply()
    form = await ann.form(first)
    for _ in range(2):
        answer = await ann.client.post(f"/console/requests/{first}/approve", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/console/requests/{second}?done={first}")
    # The bytes of one page approve nothing on another: neither whole nor with the other's own stamp.
    for given in (form, form | {"shown": (await ann.form(second))["shown"]}):
        answer = await ann.client.post(f"/console/requests/{second}/approve", data=given)
        assert answer.status_code == 409
        assert "not the version that is up for approval" in answer.text
    assert await desk.status(second) is RequestStatus.PENDING
    # The other word is no repetition.
    answer = await ann.client.post(f"/console/requests/{first}/reject", data=form | {"reason": "after all not"})
    assert answer.status_code == 409
    assert await executing(desk, first) is ExecutionStatus.SCHEDULED


async def test_a_fresh_proof_of_the_second_factor_covers_the_next(desk: Desk) -> None:
    mia = await desk.browser(Role.MANAGER)
    _, codes = await enrolled(mia)
    await forget(desk)
    first, second = await order(desk, "F-1"), await order(desk, "F-2")
    assert 'id="code"' in (await mia.get(f"/console/requests/{first}")).text
    here = await next_of(mia, first, code=codes[0])
    assert here == f"/console/requests/{second}?done={first}"
    assert 'id="code"' not in (await mia.get(here)).text
    assert (await next_of(mia, second)) == f"/console?done={second}"


async def test_hostile_words_are_words_above_the_next_page(desk: Desk) -> None:
    ann, other = await desk.browser(), await desk.reply()
    text = "<script>alert(1)</script>\u202e{{7*7}}"
    (request,) = await desk.proposed(SendReply(to="anna@example.com", subject="x", text="Hello."), text=text)
    said = above((await ann.get(await next_of(ann, request))).text)
    assert "&lt;script&gt;" in said
    assert "⟦U+202E⟧{{7*7}}" in said
    assert "<script" not in said
    assert await desk.status(other) is RequestStatus.PENDING

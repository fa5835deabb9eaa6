"""Whoever goes on from page to page is told nothing untrue, and what they press means what they see."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest
import pytest_asyncio

from api.deciding import Deciding
from approvals.authority import DailyLimit
from approvals.card_reading import CardReader
from approvals.desk_queue import DeskQueue
from approvals.fitting import Fitting
from support_agents.domain.approval import RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money
from tests.fixtures.approvals import ORDER
from tests.fixtures.console import Desk
from tests.fixtures.factor import enrolled, forget
from tests.fixtures.pressing import needs_chromium, pressed

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ABOVE = re.compile(r'<section id="decided".*?</section>', re.DOTALL)
_LISTS = re.compile(r'hx-get="(/console/queue/lists[^"]*)"')


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def alone(desk: Desk) -> None:
    """Nothing of an earlier test waits, and nobody looks at anything."""
    await desk.alone()


async def test_a_click_in_haste_is_not_made_slow_by_waiting_for_its_turn(desk: Desk) -> None:
    """Others write for longer than a page must have stood; the click came before, and is judged by when it came."""
    ann, request = await desk.browser(), await desk.reply()
    desk.still(timedelta(seconds=3))
    form = await ann.form(request)
    database = desk.installation.container.database
    async with database.write("somebody else"):
        click = asyncio.create_task(ann.client.post(f"/console/requests/{request}/approve", data=form))
        await asyncio.sleep(3.5)
    answer = await click
    assert answer.status_code == 409
    assert "This page came up a moment ago" in answer.text
    assert await desk.status(request) is RequestStatus.PENDING


async def test_of_a_caught_check_nobody_is_told_that_a_ticket_returned(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    planted = await desk.planted(max_)
    answer = await ann.decide(planted, "reject", reason="it promises what nobody can keep")
    said = _ABOVE.search((await ann.get(answer.headers["location"])).text)
    assert said is not None
    assert "Rejected" in said[0]
    assert "The ticket is with people again." not in said[0]
    assert "a check of attention" in said[0]


async def test_a_form_with_a_code_sent_twice_says_the_same_once(desk: Desk) -> None:
    mia = await desk.browser(Role.MANAGER)
    _, codes = await enrolled(mia)
    await forget(desk)
    request = await desk.refund(ORDER.model_copy(update={"order_id": "C-1"}))
    form = await mia.form(request) | {"code": codes[0]}
    path = f"/console/requests/{request}/approve"
    first, second = await asyncio.gather(mia.client.post(path, data=form), mia.client.post(path, data=form))
    third = await mia.client.post(path, data=form)
    for answer in (first, second, third):
        assert (answer.status_code, answer.headers.get("location")) == (303, f"/console?done={request}")


async def test_a_code_that_does_not_fit_still_proves_nothing(desk: Desk) -> None:
    mia = await desk.browser(Role.MANAGER)
    await forget(desk)
    request = await desk.refund(ORDER.model_copy(update={"order_id": "C-2"}))
    form = await mia.form(request) | {"code": "000000"}
    answer = await mia.client.post(f"/console/requests/{request}/approve", data=form)
    assert answer.status_code == 403
    assert await desk.status(request) is RequestStatus.PENDING


async def test_what_was_stored_is_not_called_a_failure_when_nothing_can_be_looked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, request = await desk.browser(), await desk.reply()

    async def fails(*_: object) -> None:
        raise SupportError("database_unavailable", "busy", retryable=True)

    monkeypatch.setattr(Deciding, "go_on", fails)
    answer = await ann.decide(request, "approve")
    assert (answer.status_code, answer.headers.get("location")) == (303, f"/console?done={request}")


@pytest.fixture
def others_writing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it is asked whether a request fits, somebody else has something to write first."""
    database, fits = desk.installation.container.database, Fitting.fits

    async def other() -> None:
        async with database.write("a webhook"):
            pass

    async def slowly(*given: Any) -> bool:
        await asyncio.wait_for(other(), 2)
        return await fits(*given)

    monkeypatch.setattr(Fitting, "fits", slowly)


@pytest.mark.usefixtures("others_writing")
async def test_others_write_while_the_next_is_looked_for(desk: Desk) -> None:
    """A long queue in which nothing fits must keep no webhook waiting."""
    ann, first, second = await desk.browser(), await desk.reply(), await desk.reply()
    answer = await ann.decide(first, "approve")
    assert answer.headers["location"] == f"/console/requests/{second}?done={first}"


@pytest.mark.usefixtures("others_writing")
async def test_others_write_while_the_next_is_looked_for_in_slack(desk: Desk) -> None:
    ann, container = await desk.browser(), desk.installation.container
    first, second = await desk.reply(), await desk.reply()
    interactive = await container.auth.session(ann.client.cookies["support_session"])
    assert interactive is not None
    cards = AsyncMock(CardReader)
    queue = DeskQueue(container.database, Fitting(container.queue.entitlement), cards)
    for expected in (first, second, first):
        await queue.next(interactive.person)
        assert cards.read.await_args.args[1] == expected
        assert await queue.holds(interactive.person, expected)
        assert not await queue.holds(interactive.person, second if expected == first else first)


async def test_two_who_decide_at_once_go_on_to_different_requests(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    first, second, *_ = [await desk.reply() for _ in range(4)]
    answers = await asyncio.gather(ann.decide(first, "approve"), max_.decide(second, "approve"))
    places = {answer.headers["location"].partition("?")[0] for answer in answers}
    assert len(places) == 2
    assert "/console" not in places


async def test_nothing_is_left_is_not_said_of_what_others_look_at_nor_for_ever(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    first, second, third = [await desk.reply() for _ in range(3)]
    answer = await max_.decide(second, "approve")
    assert answer.headers["location"].startswith(f"/console/requests/{third}?")
    answer = await ann.decide(first, "approve")
    assert answer.headers["location"] == f"/console?done={first}"
    page = (await ann.get(f"/console?done={first}")).text
    assert "Nothing is left for you to decide." not in page
    assert "Others look at what is left for you to decide." in page
    await max_.decide(third, "reject", reason="not this one")
    page = (await ann.get(f"/console?done={first}")).text
    assert "Nothing is left for you to decide." in page
    # The page refreshes itself, and so what it says of the end of the queue.
    lists = _LISTS.search(page)
    assert lists is not None
    assert "Nothing is left for you to decide." in (await ann.get(lists[1])).text
    await desk.reply()
    assert "is left for you to decide." not in (await ann.get(lists[1])).text
    assert "is left for you to decide." not in _LISTS.sub("", (await max_.get("/console")).text)


@needs_chromium
async def test_the_key_of_undo_undoes_what_the_page_is_about(desk: Desk) -> None:
    """Back on a page that was itself approved meanwhile: its own Undo and the one above it both stand there."""
    ann, first, second = await desk.browser(), await desk.reply(), await desk.reply()
    here = (await ann.decide(first, "approve")).headers["location"]
    await ann.decide(second, "approve")
    page = (await ann.get(here)).text
    executions = desk.installation.container.database
    async with executions.read() as uow:
        own = await uow.executions.by_request(second)
    assert own is not None
    assert page.count("/undo") == 2
    assert await pressed(page, "u") == f"/console/executions/{own.id}/undo"


@needs_chromium
async def test_keys_approve_nothing_on_a_page_that_came_just_now(desk: Desk) -> None:
    """On a slow line the page is old when it comes, and the server cannot know; the style sheet holds pointers only."""
    ann, request = await desk.browser(), await desk.reply()
    page = (await ann.get(f"/console/requests/{request}")).text
    assert await pressed(page, "a", "a") == ""
    assert await pressed(page, "a", "a", after=1_500) == f"/console/requests/{request}/approve"


async def test_a_first_approval_of_two_sent_twice_is_no_matter_of_the_days_limit(desk: Desk) -> None:
    ann, container = await desk.browser(), desk.installation.container
    large = ORDER.model_copy(update={"order_id": "D-1", "total": Money(minor=20_000, currency="EUR")})
    request = await desk.refund(large)
    form, usual = await ann.form(request), container.deciding
    once = DailyLimit(role=Role.APPROVER, currency="EUR", minor=30_000)
    authority = usual.queue.authority.model_copy(update={"daily_limits": (once,)})
    object.__setattr__(container, "deciding", replace(usual, queue=replace(usual.queue, authority=authority)))
    for _ in range(2):
        answer = await ann.client.post(f"/console/requests/{request}/approve", data=form)
        assert (answer.status_code, answer.headers.get("location")) == (303, f"/console?done={request}"), answer.text
    object.__setattr__(container, "deciding", usual)

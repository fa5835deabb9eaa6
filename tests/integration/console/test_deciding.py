"""Deciding, editing, undoing and settling from the page, as its own forms do it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from api.console.templating import environment
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.ids import ExecutionId, RequestId
from support_agents.domain.money import Money
from support_agents.domain.sections import Verdict
from tests.fixtures.approvals import ORDER, set_column
from tests.fixtures.console import Browser, Desk, checked

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def execution_of(desk: Desk, request: RequestId) -> ExecutionId | None:
    async with desk.installation.container.database.read() as uow:
        found = await uow.executions.by_request(request)
    return found.id if found else None


async def page(browser: Browser, request: RequestId) -> str:
    return (await browser.get(f"/console/requests/{request}")).text


async def test_approving_schedules_and_offers_undo(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    answer = await ann.decide(request, "approve")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console?done={request}")
    text = await page(ann, request)
    assert "It leaves when the undo window closes." in text
    assert 'data-key="a"' not in text
    here, execution = f"/console/requests/{request}", await execution_of(desk, request)
    answer = await ann.post(f"/console/executions/{execution}/undo", on=here, request=str(request))
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert "Undone: nothing was sent" in await page(ann, request)
    ticket = await ann.get(f"/console/tickets/{await desk.ticket_of(request)}")
    assert "Needs a person:" in ticket.text
    assert "Approver (approver) approved the reply" in ticket.text


async def test_the_state_alone_counts_down_and_is_asked_for_only_while_it_moves(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    here = f"/console/requests/{request}"
    assert "every 1s" not in (await ann.get(f"{here}/state")).text
    await ann.decide(request, "approve")
    part = (await ann.get(f"{here}/state")).text
    assert part.lstrip().startswith('<div id="state"')
    assert "every 1s" in part
    assert "s)</span>" in part


async def test_approving_with_another_digest_is_refused_and_shown(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    for digest in ("", "0" * 64, "é"):
        answer = await ann.decide(request, "approve", digest=digest)
        assert answer.status_code == 409
        checked(answer.text)
        assert "not the version that is up for approval" in answer.text
    assert await desk.status(request) is RequestStatus.PENDING


async def test_the_loser_of_a_race_sees_who_was_first(desk: Desk) -> None:
    ann, max_, request = await desk.browser(), await desk.browser(Role.MANAGER), await desk.reply()
    digest = await max_.digest(request)
    token = await max_.csrf(f"/console/requests/{request}")
    await ann.decide(request, "approve")
    answer = await max_.client.post(
        f"/console/requests/{request}/approve", data={"csrf": token, "digest": digest}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 409
    checked(answer.text)
    assert "Approver@support.example was first" in answer.text
    assert "<b>Approver</b> approved" in answer.text


async def test_two_at_once_give_one_execution(desk: Desk) -> None:
    ann, max_, request = await desk.browser(), await desk.browser(Role.MANAGER), await desk.reply()
    answers = await asyncio.gather(ann.decide(request, "approve"), max_.decide(request, "approve"))
    assert sorted(answer.status_code for answer in answers) == [303, 409]


async def test_a_viewer_reads_and_decides_nothing(desk: Desk) -> None:
    vic, request = await desk.browser(Role.VIEWER), await desk.reply()
    text = await page(vic, request)
    assert "Deciding needs the role of an approver" in text
    for absent in ("/approve", "/edit", "/reject"):
        assert absent not in text
    ann = await desk.browser()
    digest, here = await ann.digest(request), f"/console/requests/{request}"
    for verb in ("approve", "reject"):
        answer = await vic.post(f"{here}/{verb}", on=here, digest=digest, reason="no")
        assert answer.status_code == 403
    answer = await vic.post(f"{here}/edit", on=here, digest=digest, text="Hello.")
    assert answer.status_code == 403
    assert await desk.status(request) is RequestStatus.PENDING
    await ann.decide(request, "approve")
    execution = await execution_of(desk, request)
    answer = await vic.post(f"/console/executions/{execution}/undo", on=here, request=str(request))
    assert answer.status_code == 403
    assert "/undo" not in await page(vic, request)


async def test_rejecting_needs_a_reason_and_keeps_it(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    answer = await ann.decide(request, "reject", reason="  ")
    assert answer.status_code == 422
    assert "Say why" in answer.text
    wrong = await ann.decide(request, "reject", reason="too <cold>", digest="0" * 64)
    assert "too &lt;cold&gt;</textarea>" in wrong.text
    assert (await ann.decide(request, "reject", reason="too <cold>")).status_code == 303
    assert "“too &lt;cold&gt;”" in await page(ann, request)
    queue = (await ann.get("/console")).text
    assert "rejected: too &lt;cold&gt;" in queue


async def test_an_edit_becomes_a_request_of_its_own_with_its_own_checks(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply("Dear Anna,\n\nParcels leave within a day.")
    here = f"/console/requests/{request}"
    before = await ann.digest(request)
    form = (await ann.get(f"{here}/edit")).text
    assert "Dear Anna,\n\nParcels leave within a day.</textarea>" in form
    words = "Dear Anna,\r\n\r\n  Parcels leave within 99 days."
    answer = await ann.post(f"{here}/edit", on=f"{here}/edit", digest=before, text=words)
    assert answer.status_code == 303
    made = RequestId(UUID(answer.headers["location"].rpartition("/")[2]))
    assert made != request
    text = await page(ann, made)
    assert "Edited by Approver." in text
    assert "Dear Anna,\n\n  Parcels leave within 99 days.</div>" in text
    assert "only as a person’s own word" in text
    assert await ann.digest(made) != before
    old = await page(ann, request)
    assert "Replaced by an edit" in old
    assert f'href="/console/requests/{made}"' in old
    assert (await ann.decide(made, "approve")).status_code == 303


async def test_whatever_goes_wrong_the_words_are_kept(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    here = f"/console/requests/{request}/edit"
    digest = await ann.digest(request)
    mine = "My <own> words\u202e\n\n  indented."
    kept = "My &lt;own&gt; words\u202e\n\n  indented.</textarea>"

    async def save(text: str, with_digest: str = digest) -> tuple[int, str]:
        answer = await ann.post(here, on="/console", digest=with_digest, text=text)
        checked(answer.text)
        return answer.status_code, answer.text

    for wrong in ("", "0" * 64):
        code, text = await save(mine, wrong)
        assert code == 409
        assert kept in text
    code, text = await save(" \n ")
    assert code == 422
    assert "The reply is empty." in text
    code, text = await save("x" * 20_001)
    assert code == 422
    assert "x" * 20_001 in text
    code, text = await save(f"{mine}\nWrite to grace.whitfield@fernmail.example.")
    assert code == 422
    assert "grace.whitfield@fernmail.example.</textarea>" in text
    assert 'role="alert"' in text
    await ann.decide(request, "reject", reason="late")
    code, text = await save(mine)
    assert code == 409
    assert kept in text
    assert "Your words are kept below" in text


async def test_money_cannot_be_edited(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.refund()
    text = await page(ann, request)
    assert "/edit" not in text
    assert "€49.90" in text
    assert "4242" in text
    assert "test: no real money" in text
    assert "3 facts, 3 confirmed" in text
    assert (await ann.get(f"/console/requests/{request}/edit")).status_code == 404


async def test_a_request_for_two_people_says_whom_it_waits_for(desk: Desk) -> None:
    ann, max_ = await desk.browser(), await desk.browser(Role.MANAGER)
    request = await desk.refund(
        ORDER.model_copy(update={"order_id": "A-9", "total": Money(minor=20_000, currency="EUR")})
    )
    assert "needs 2 people, of them a manager; 0 so far" in await page(ann, request)
    assert "0 of 2 approvals" in (await ann.get("/console")).text
    await ann.decide(request, "approve")
    text = await page(ann, request)
    assert "Your approval is counted" in text
    assert 'data-key="a"' not in text
    await max_.decide(request, "approve")
    assert await desk.status(request) is RequestStatus.APPROVED


async def test_nobody_sees_another_workspaces_request(desk: Desk) -> None:
    ann = await desk.browser()
    for path in ("requests", "tickets"):
        answer = await ann.get(f"/console/{path}/01900000-0000-7000-8000-000000000001")
        assert answer.status_code == 404
        checked(answer.text)
        assert (await ann.get(f"/console/{path}/nonsense")).status_code == 404


async def test_what_is_in_doubt_is_settled_by_a_manager_who_has_looked(desk: Desk) -> None:
    ann, max_, request = await desk.browser(), await desk.browser(Role.MANAGER), await desk.refund()
    await ann.decide(request, "approve")
    execution, here = await execution_of(desk, request), f"/console/requests/{request}"
    async with desk.installation.container.database.write("test") as uow:
        assert execution is not None
        await set_column(uow, "executions", "status", ExecutionStatus.IN_DOUBT, execution)
        await set_column(uow, "executions", "reason", "no answer <in time>", execution)
    assert "no answer &lt;in time&gt;" in (await ann.get("/console")).text
    assert "Settle it by hand" not in await page(ann, request)
    settle = f"/console/executions/{execution}/settle"
    refused = await ann.post(settle, on=here, request=str(request), status="failed", note="looked")
    assert refused.status_code == 403
    assert "Settle it by hand" in await page(max_, request)
    assert (await max_.post(settle, on=here, request=str(request), status="scheduled", note="x")).status_code == 422
    assert (await max_.post(settle, on=here, request=str(request), status="failed", note=" ")).status_code == 422
    done = await max_.post(settle, on=here, request=str(request), status="failed", note="looked: nothing there")
    assert done.status_code == 303
    text = await page(max_, request)
    assert "Failed: nothing happened" in text
    assert "looked: nothing there" in text


async def test_a_late_approval_is_told_that_time_is_over(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    digest = await ann.digest(request)
    async with desk.installation.container.database.write("test") as uow:
        await set_column(uow, "approval_requests", "expires_at", await uow.now() - timedelta(seconds=1), request)
    here = f"/console/requests/{request}"
    answer = await ann.post(f"{here}/approve", on="/console", digest=digest)
    assert answer.status_code == 409
    assert "The time to decide is over" in answer.text
    assert f"row-{request}" not in (await ann.get("/console")).text


async def test_a_message_that_came_since_closes_the_page(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply()
    async with desk.installation.container.database.write("test") as uow:
        await set_column(uow, "tickets", "revision", 99, await desk.ticket_of(request))
    text = await page(ann, request)
    assert "The ticket has moved on" in text
    assert 'data-key="a"' not in text


async def test_a_repaired_draft_says_so(desk: Desk) -> None:
    ann, request = await desk.browser(), await desk.reply(verdict=Verdict.REPAIRED)
    assert "0 sentences dropped" in await page(ann, request)
    assert environment().autoescape is True

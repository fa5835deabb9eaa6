"""Redraft with a reason: a child run of the same revision, on record with its parent."""

from datetime import timedelta

import pytest

from approvals.adapters.slack.naming import Verb
from approvals.modals import RejectModal
from support_agents.domain.approval import RejectReason
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName
from tests.fixtures.slack import Workspace, chosen, typed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_rejection_can_ask_for_another_draft(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    ticket = await slack.desk.ticket_of(request)
    await slack.press(ben, await slack.read(request), Verb.REJECT)
    view, modal = slack.form()
    assert isinstance(modal, RejectModal)
    redraft = {"input": {"type": "checkboxes", "selected_options": [{"value": "redraft"}]}}
    await slack.submit(ben, view, {"reason": chosen("missing"), "note": typed("the date"), "redraft": redraft})
    container = slack.desk.installation.container
    async with container.database.write("claim") as uow:
        claimed = await uow.outbox.claim(limit=50, lease=timedelta(seconds=30))
    (due,) = [event for event in claimed if event.name is EventName.TICKET_RECEIVED and event.subject == ticket]
    begun = await container.ticket_store.begin_run(due)
    assert begun is not None
    assert begun.ticket.id == ticket
    async with container.database.read() as uow:
        (asked,) = [entry for entry in await uow.audit.of(ticket) if entry.event == "run.redraft_asked"]
        parent = await uow.approvals.get(request)
    assert parent is not None
    assert asked.data["parent_run"] == str(parent.run_id)
    assert str(begun.run_id) != str(parent.run_id)
    (rejected,) = begun.ticket.rejected
    assert (rejected.reason, rejected.words, rejected.macros) == (RejectReason.MISSING, "the date", "")


async def test_a_run_of_a_newer_message_hears_nothing_of_older_rejections(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    await slack.press(ben, await slack.read(request), Verb.REJECT)
    view, _ = slack.form()
    await slack.submit(ben, view, {"reason": chosen("too_long")})
    container = slack.desk.installation.container
    ticket = await slack.desk.ticket_of(request)
    async with container.database.read() as uow:
        found = await uow.tickets.get(ticket)
        assert found is not None
        assert len(await uow.approvals.rejected_replies(ticket, revision=found.revision)) == 1
        assert await uow.approvals.rejected_replies(ticket, revision=found.revision + 1) == ()


async def test_only_what_was_rejected_is_drafted_again(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    with pytest.raises(SupportError) as caught:
        await slack.clicks.redrafting.ask(await slack.as_person(ben), request)
    assert caught.value.code == "stale"

"""Tickets and runs over REST: read by anyone who may; people say what a message was really about."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import ContainerDep, CursorDep, LimitDep, PersonDep, ReaderDep, workspace_of
from api.errors import documented
from api.schemas import CorrectionBody, CorrectionRequest, RunShown, TicketPage, TimelineBody
from api.showing import shown_run
from api.showing_tickets import shown_ticket, shown_timeline
from db.read_models.ticket_timeline import ticket_timeline
from db.read_models.tickets import tickets
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId, TicketId

router = APIRouter(
    prefix="/v1", tags=["tickets"], responses=documented("unauthenticated", "not_allowed", "not_found", "invalid")
)


@router.get("/tickets", responses=documented("bad_cursor"))
async def list_tickets(
    caller: ReaderDep,
    container: ContainerDep,
    limit: LimitDep = 50,
    cursor: CursorDep = None,
    needs_person: Annotated[bool, Query(description="only those that wait for a person outside the queue")] = False,  # noqa: FBT002 - a query parameter
) -> TicketPage:
    """Tickets, the newest change first."""
    async with container.database.read() as uow:
        page = await tickets(uow, workspace_of(caller), needs_person=needs_person, limit=limit, cursor=cursor)
    return TicketPage(items=tuple(shown_ticket(line.ticket, line.outcome) for line in page.items), next=page.next)


@router.get("/tickets/{ticket_id}")
async def show_ticket(ticket_id: UUID, caller: ReaderDep, container: ContainerDep) -> TimelineBody:
    """Everything of one ticket: messages, runs, requests, decisions, executions, inside steps."""
    async with container.database.read() as uow:
        timeline = await ticket_timeline(uow, TicketId(ticket_id))
    if timeline.ticket.workspace_id != workspace_of(caller):
        raise SupportError("not_found", "No such ticket.")
    return shown_timeline(timeline)


@router.get("/runs/{run_id}")
async def show_run(run_id: UUID, caller: ReaderDep, container: ContainerDep) -> RunShown:
    """A finished run: sections, milliseconds by stage, tokens, cost, versions."""
    async with container.database.read() as uow:
        record = await uow.runs.load(RunId(run_id))
    if record.workspace != workspace_of(caller):
        raise SupportError("not_found", "No such run.")
    return shown_run(record)


@router.put("/runs/{run_id}/intent", responses=documented("person_needed", "csrf"))
async def correct_intent(
    run_id: UUID, body: CorrectionRequest, person: PersonDep, container: ContainerDep
) -> CorrectionBody:
    """Keep what the message was about as an example to train on; the run itself stays as it was."""
    kept = await container.correcting.correct(RunId(run_id), intent=body.intent, person=person)
    return CorrectionBody(run_id=run_id, guessed=kept.guessed, intent=kept.intent)

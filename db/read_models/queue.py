"""What people are asked to decide, with all that a card shows, in a bounded number of queries; it changes nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from db.base import table_of
from db.models.approvals import ApprovalRequestRow, DecisionRow
from db.models.executions import ExecutionRow
from db.models.operators import OperatorRow
from db.read_models.pages import Page, Place, after, before, cut, within
from db.repositories.approvals import ApprovalRequest, Decision
from db.repositories.executions import Execution
from db.repositories.tickets import COLUMNS, MESSAGES, TICKETS, Ticket, read_messages, read_ticket
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import RequestStatus
from support_agents.domain.ids import ActionId, RequestId, TicketId, WorkspaceId
from support_agents.domain.runs import RunRecord
from support_agents.domain.ticket import Author, Message

REQUESTS = table_of(ApprovalRequestRow)
DECISIONS = table_of(DecisionRow)
EXECUTIONS = table_of(ExecutionRow)
OPERATORS = table_of(OperatorRow)


@dataclass(frozen=True)
class Answer:
    """A decision and who made it."""

    decision: Decision
    name: str
    email: str


@dataclass(frozen=True)
class QueueItem:
    """One request as people see it; `superseded` is derived from the ticket's present revision.

    `after_kind` is the kind of the action that it waits for, if it waits for one.
    """

    request: ApprovalRequest
    ticket: Ticket
    customer_message: Message | None
    run: RunRecord
    answers: tuple[Answer, ...]
    execution: Execution | None
    after_kind: ActionKind | None = None

    @property
    def superseded(self) -> bool:
        """Whether the ticket has moved on since the request was made."""
        return self.request.ticket_revision != self.ticket.revision


async def queue(
    uow: UnitOfWork,
    workspace: WorkspaceId,
    *,
    status: RequestStatus = RequestStatus.PENDING,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[QueueItem]:
    """Requests of one status: pending ones oldest first, as they must be answered; all others newest first."""
    size = within(limit)
    at, identity = REQUESTS.c.created_at, REQUESTS.c.id
    query = select(REQUESTS).where(REQUESTS.c.workspace_id == workspace, REQUESTS.c.status == status).limit(size + 1)
    if status is RequestStatus.PENDING:
        query = query.where(*after(at, identity, cursor)).order_by(at, identity)
    else:
        query = query.where(*before(at, identity, cursor)).order_by(at.desc(), identity.desc())
    found = await _requests(uow, query)
    page = cut(found, size, [Place(request.created_at, request.id) for request in found])
    return Page(await _items(uow, page.items), page.next)


async def queue_item(uow: UnitOfWork, request: RequestId) -> QueueItem | None:
    """One request, whatever its status."""
    items = await _items(uow, await _requests(uow, select(REQUESTS).where(REQUESTS.c.id == request)))
    return items[0] if items else None


async def queue_items(uow: UnitOfWork, requests: Sequence[RequestId]) -> tuple[QueueItem, ...]:
    """Several requests, whatever their status, in the order of their ids."""
    here = select(REQUESTS).where(REQUESTS.c.id.in_(requests)).order_by(REQUESTS.c.id)
    return await _items(uow, await _requests(uow, here))


async def answers_to(uow: UnitOfWork, requests: Sequence[UUID]) -> Mapping[UUID, tuple[Answer, ...]]:
    """Every decision on these requests with the name of the person, oldest first."""
    query = (
        select(DECISIONS, OPERATORS.c.name.label("person_name"), OPERATORS.c.email.label("person_email"))
        .join(OPERATORS, OPERATORS.c.id == DECISIONS.c.operator_id)
        .where(DECISIONS.c.request_id.in_(requests))
        .order_by(DECISIONS.c.id)
    )
    found: dict[UUID, tuple[Answer, ...]] = {}
    for row in (await uow.session.execute(query)).mappings():
        answer = Answer(Decision.model_validate(dict(row)), row["person_name"], row["person_email"])
        found[row["request_id"]] = (*found.get(row["request_id"], ()), answer)
    return found


async def _requests(uow: UnitOfWork, query: Select[*tuple[Any, ...]]) -> list[ApprovalRequest]:
    return [ApprovalRequest.model_validate(dict(row)) for row in (await uow.session.execute(query)).mappings()]


async def _items(uow: UnitOfWork, requests: Sequence[ApprovalRequest]) -> tuple[QueueItem, ...]:
    """Everything around these requests: one query per table, however many they are."""
    if not requests:
        return ()
    tickets = {request.ticket_id for request in requests}
    ids = [request.id for request in requests]
    of_ticket = await _tickets(uow, tickets)
    said = await _customer_messages(uow, tickets)
    runs = {record.run_id: record for record in await uow.runs.records({request.run_id for request in requests})}
    answers = await answers_to(uow, ids)
    executions = await _executions(uow, ids)
    kinds = await _kinds(uow, {request.after_action_id for request in requests if request.after_action_id})
    return tuple(
        QueueItem(
            request=request,
            ticket=of_ticket[request.ticket_id],
            customer_message=said.get(request.ticket_id),
            run=runs[request.run_id],
            answers=answers.get(request.id, ()),
            execution=executions.get(request.id),
            after_kind=kinds.get(request.after_action_id) if request.after_action_id else None,
        )
        for request in requests
    )


async def _tickets(uow: UnitOfWork, ids: Collection[TicketId]) -> Mapping[UUID, Ticket]:
    rows = await uow.session.execute(select(*COLUMNS).where(TICKETS.c.id.in_(ids)))
    return {row.id: read_ticket(row) for row in rows}


async def _customer_messages(uow: UnitOfWork, tickets: Collection[TicketId]) -> Mapping[UUID, Message]:
    """The newest thing that each ticket's customer wrote."""
    by_customer = (MESSAGES.c.author == Author.CUSTOMER, MESSAGES.c.public, MESSAGES.c.automatic.is_(False))
    newest_first = func.row_number().over(
        partition_by=MESSAGES.c.ticket_id, order_by=(MESSAGES.c.written_at.desc(), MESSAGES.c.id.desc())
    )
    ranked = (
        select(MESSAGES.c.id, newest_first.label("place")).where(MESSAGES.c.ticket_id.in_(tickets), *by_customer)
    ).subquery()
    query = select(MESSAGES).join(ranked, ranked.c.id == MESSAGES.c.id).where(ranked.c.place == 1)
    rows = (await uow.session.execute(query)).all()
    return dict(zip((row.ticket_id for row in rows), read_messages(rows), strict=True))


async def _kinds(uow: UnitOfWork, actions: Collection[ActionId]) -> Mapping[UUID, ActionKind]:
    """The kinds of these actions; most requests wait for none, and then nothing is asked."""
    if not actions:
        return {}
    query = select(REQUESTS.c.action_id, REQUESTS.c.kind).where(REQUESTS.c.action_id.in_(actions))
    return {row.action_id: ActionKind(row.kind) for row in await uow.session.execute(query)}


async def _executions(uow: UnitOfWork, requests: Sequence[RequestId]) -> Mapping[UUID, Execution]:
    rows = await uow.session.execute(select(EXECUTIONS).where(EXECUTIONS.c.request_id.in_(requests)))
    return {row["request_id"]: Execution.model_validate(dict(row)) for row in rows.mappings()}

"""Approval requests and executions over REST: read by anyone who may, decided by people only, taken back by either."""

from uuid import UUID

from fastapi import APIRouter

from api.auth import Interactive
from api.deps import CancellerDep, ContainerDep, CursorDep, LimitDep, PersonDep, ReaderDep, workspace_of
from api.errors import documented
from api.schemas import (
    ApprovalPage,
    ApprovalShown,
    CancelRequest,
    DecisionBody,
    DecisionRequest,
    EditBody,
    EditRequest,
    ExecutionBody,
)
from api.showing import shown_request
from db.read_models.queue import queue, queue_item
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ExecutionId, RequestId

router = APIRouter(prefix="/v1", tags=["approvals"], responses=documented("unauthenticated", "not_found", "invalid"))

_DECIDING = documented(
    *("unauthenticated", "person_needed", "csrf", "not_allowed", "not_found", "digest_mismatch", "already_decided"),
    *("expired", "superseded", "stale", "invalid", "blocked", "factor_needed", "console_needed"),
)


@router.get("/approvals", responses=documented("bad_cursor"))
async def list_requests(
    caller: ReaderDep,
    container: ContainerDep,
    status: RequestStatus = RequestStatus.PENDING,
    limit: LimitDep = 50,
    cursor: CursorDep = None,
) -> ApprovalPage:
    """Requests of one status: pending ones oldest first, all others newest first."""
    async with container.database.read() as uow:
        page = await queue(uow, workspace_of(caller), status=status, limit=limit, cursor=cursor)
    return ApprovalPage(items=tuple(shown_request(item) for item in page.items), next=page.next)


@router.get("/approvals/{request_id}")
async def show_request(request_id: UUID, caller: ReaderDep, container: ContainerDep) -> ApprovalShown:
    """One request, whatever its status."""
    async with container.database.read() as uow:
        item = await queue_item(uow, RequestId(request_id))
    if item is None or item.request.workspace_id != workspace_of(caller):
        raise SupportError("not_found", "No such approval request.")
    return shown_request(item)


@router.post("/approvals/{request_id}/decisions", status_code=201, responses=_DECIDING)
async def decide(request_id: UUID, body: DecisionRequest, person: PersonDep, container: ContainerDep) -> DecisionBody:
    """Approve or reject exactly the bytes of `digest`. Needs a person's session and its CSRF token."""
    decided = await container.queue.decide(
        RequestId(request_id), digest=body.digest, verdict=body.decision, person=person, reason=body.reason
    )
    return DecisionBody(
        request_id=decided.request_id,
        status=decided.status,
        approvals=decided.approvals,
        missing=decided.missing,
        execution_id=decided.execution_id,
        not_before=decided.not_before,
    )


@router.post("/approvals/{request_id}/edits", status_code=201, responses=_DECIDING)
async def edit(request_id: UUID, body: EditRequest, person: PersonDep, container: ContainerDep) -> EditBody:
    """Replace a reply's text: checked again, a new request with a new digest, earlier approvals void."""
    edited = await container.editing.edit(RequestId(request_id), text=body.text, digest=body.digest, person=person)
    return EditBody(
        request_id=edited.request_id,
        digest=edited.digest,
        text=edited.rechecked.text,
        verdict=edited.rechecked.compliance.verdict,
        checks=edited.rechecked.compliance.checks,
    )


@router.post(
    "/executions/{execution_id}/cancel",
    responses=documented("unauthenticated", "csrf", "not_allowed", "not_found", "too_late", "invalid"),
)
async def cancel(
    execution_id: UUID, caller: CancellerDep, container: ContainerDep, body: CancelRequest | None = None
) -> ExecutionBody:
    """Take an approved action back within its undo window. Final; the ticket returns to people."""
    actor = str(caller.person.operator_id) if isinstance(caller, Interactive) else f"token {caller.name}"
    await container.executions.cancel(
        ExecutionId(execution_id),
        workspace=workspace_of(caller),
        actor=actor[:100],
        reason=body.reason if body else "",
    )
    return ExecutionBody(execution_id=execution_id, status=ExecutionStatus.CANCELLED)

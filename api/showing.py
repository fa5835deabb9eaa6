"""Maps rows as read to the bodies of the REST API; it reads nothing and leaves nothing out by mistake."""

from api.schemas import ApprovalShown, DecisionShown, ExecutionShown, RunShown
from db.read_models.queue import Answer, QueueItem
from db.repositories.executions import Execution
from support_agents.domain.money import Money
from support_agents.domain.runs import RunRecord


def shown_request(item: QueueItem) -> ApprovalShown:
    """One approval request."""
    request = item.request
    amount = None
    if request.amount_minor is not None and request.currency is not None:
        amount = Money(minor=request.amount_minor, currency=request.currency)
    return ApprovalShown(
        id=request.id,
        kind=request.kind,
        status=request.status,
        superseded=item.superseded,
        digest=request.digest,
        canonical=request.canonical.decode(),
        ticket_id=request.ticket_id,
        ticket_subject=item.ticket.subject,
        ticket_revision=request.ticket_revision,
        run_id=request.run_id,
        target=request.target,
        way=request.way,
        amount=amount,
        approvals_needed=request.approvals_needed,
        managers_needed=request.managers_needed,
        created_at=request.created_at,
        expires_at=request.expires_at,
        closed_reason=request.closed_reason,
        supersedes_id=request.supersedes_id,
        decisions=tuple(shown_decision(answer) for answer in item.answers),
        execution=item.execution and shown_execution(item.execution),
    )


def shown_decision(answer: Answer) -> DecisionShown:
    """One person's answer."""
    decision = answer.decision
    return DecisionShown(
        verdict=decision.verdict, by=answer.name or answer.email, reason=decision.reason, at=decision.created_at
    )


def shown_execution(execution: Execution) -> ExecutionShown:
    """One execution."""
    return ExecutionShown(
        id=execution.id,
        request_id=execution.request_id,
        kind=execution.kind,
        status=execution.status,
        generation=execution.generation,
        not_before=execution.not_before,
        reason=execution.reason,
        receipt=execution.receipt,
        finished_at=execution.finished_at,
    )


def shown_run(record: RunRecord) -> RunShown:
    """One run with its sums."""
    calls = record.model_calls
    return RunShown(
        **{name: getattr(record, name) for name in RunRecord.model_fields},
        total_ms=(record.finished_at - record.received_at).total_seconds() * 1000,
        tokens_in=sum(call.tokens_in for call in calls),
        tokens_out=sum(call.tokens_out for call in calls),
        cost_micro_usd=sum(call.cost_micro_usd for call in calls),
    )

"""Takes in that a letter of ours came back undelivered: on record, and in front of a person; it sends nothing again.

What a bounce says is text from outside: it changes no status, for anybody who got the letter could have written it.
"""

from dataclasses import dataclass
from datetime import datetime

from approvals.attempts import lock_case
from approvals.canonical import Way
from approvals.rendering import one_line
from db.engine import Database
from db.models.provider_events import ProviderOutcome
from db.repositories.provider_events import NewProviderEvent
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import ActionId, WorkspaceId

PROVIDER = "mail"
_LEFT = {ExecutionStatus.SUCCEEDED, ExecutionStatus.IN_DOUBT}


@dataclass(frozen=True)
class Bounce:
    """A delivery report about the letter of one of our actions; `key` is unique within its sender."""

    workspace: WorkspaceId
    action: ActionId
    key: str
    status: str
    occurred_at: datetime
    received_at: datetime
    raw: bytes


@dataclass(frozen=True)
class Bounces:
    """One transaction each; the same report again changes nothing."""

    database: Database

    async def take(self, bounce: Bounce) -> bool:
        """Return whether it was about a letter that we sent, and new."""
        async with self.database.write("bounce") as uow:
            execution = await uow.executions.by_action(bounce.workspace, bounce.action)
            if execution is None or execution.way != Way.EMAIL or not await uow.provider_events.add(_event(bounce)):
                return False
            case = await lock_case(uow, execution.id)
            if case.execution.status not in _LEFT:
                return False
            why = f"the letter came back undelivered ({one_line(bounce.status, 60) or 'no code'})"
            await uow.executions.set(case.execution, reason=why)
            await uow.tickets.needs_person(case.ticket.id, why)
            await uow.audit.append(
                workspace=bounce.workspace, event="mail.bounced", subject=execution.id, actor=PROVIDER,
                data={"event": bounce.key},
            )  # fmt: skip
            return True


def _event(bounce: Bounce) -> NewProviderEvent:
    return NewProviderEvent(
        workspace_id=bounce.workspace,
        provider=PROVIDER,
        event_id=bounce.key,
        kind="bounce",
        outcome=ProviderOutcome.FAILED,
        reference=f"mail:{bounce.action}",
        payment_ref="",
        action_id=bounce.action,
        occurred_at=bounce.occurred_at,
        received_at=bounce.received_at,
        raw=bounce.raw,
    )

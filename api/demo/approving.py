"""`demo --once`: a person's part played over the real HTTP session API – sign in, approve, wait, look what happened."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from api.demo.answers import Answered, Answers
from api.demo.mailbox import Mailbox
from api.demo.preparing import DemoOperator
from db.read_models.ticket_timeline import TicketTimeline
from db.repositories.approvals import ApprovalRequest
from support_agents.domain.action import ActionKind, IssueRefund
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import RunRecord

_LONGEST_SECONDS = 60.0
_BETWEEN_LOOKS = 0.05
_UNFINISHED = {ExecutionStatus.SCHEDULED, ExecutionStatus.EXECUTING}


@dataclass(frozen=True)
class Approver:
    """Signed in over HTTP: the session's cookie is in `http`, its token beside it."""

    http: httpx.AsyncClient
    csrf: str

    @classmethod
    async def signed_in(cls, http: httpx.AsyncClient, operator: DemoOperator) -> "Approver":
        """Sign in with a password, as a person would."""
        body = {"email": operator.email, "password": operator.password}
        answer = _accepted(await http.post("/v1/session", json=body), "signing in")
        return cls(http, answer["csrf"])

    async def approve(self, request: ApprovalRequest) -> None:
        """Approve exactly the bytes of the request's digest."""
        body = {"decision": "approve", "digest": request.digest, "reason": "demo"}
        answer = await self.http.post(
            f"/v1/approvals/{request.id}/decisions", json=body, headers={"X-CSRF-Token": self.csrf}
        )
        decided = _accepted(answer, f"approving the {request.kind}")
        if decided["status"] != RequestStatus.APPROVED:
            raise SupportError("demo_failed", f"the {request.kind} still waits for {decided['missing']}")


@dataclass(frozen=True)
class Effects:
    """What really happened, each counted where it happened."""

    refund: str
    letters: int
    subject: str

    @property
    def line(self) -> str:
        """Return the summary."""
        return f"approved 1 refund and 1 reply · refunded {self.refund}, once · {self.letters} mail “{self.subject}”"


@dataclass(frozen=True)
class Checking:
    """Compares the records with the two places outside: the mailbox and the payment ledger's own file."""

    answers: Answers
    mailbox: Mailbox
    ledger: Path

    async def approve_first(self, answered: Sequence[Answered], approver: Approver) -> Effects:
        """Approve refund and reply of the first message that has both; wait for their effects and check them."""
        case = next((one for one in answered if one.record is not None and _refund(one.record) is not None), None)
        refund = _refund(case.record) if case and case.record else None
        if case is None or refund is None:
            raise SupportError("demo_failed", "no message led to the proposal of a refund")
        for kind in (ActionKind.ISSUE_REFUND, ActionKind.SEND_REPLY):
            await approver.approve(_request(await self.answers.timeline(case.ticket), kind))
        timeline = await self._finished(case)
        self._check_executions(timeline)
        await self._check_refund(refund)
        return await self._check_mail(case, refund)

    async def _finished(self, case: Answered) -> TicketTimeline:
        """Wait out the undo windows and both executions."""
        timeline = await self.answers.timeline(case.ticket)
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                while len(timeline.executions) < 2 or any(e.status in _UNFINISHED for e in timeline.executions):  # noqa: PLR2004 - refund and reply
                    await asyncio.sleep(_BETWEEN_LOOKS)
                    timeline = await self.answers.timeline(case.ticket)
        except TimeoutError:
            states = ", ".join(f"{e.kind} {e.status} {e.reason}" for e in timeline.executions) or "nothing scheduled"
            raise SupportError("demo_failed", f"not carried out in {_LONGEST_SECONDS:.0f} s: {states}") from None
        return timeline

    @staticmethod
    def _check_executions(timeline: TicketTimeline) -> None:
        for execution in timeline.executions:
            if execution.status is not ExecutionStatus.SUCCEEDED:
                text = f"{execution.kind} ended {execution.status}: {execution.reason}"
                raise SupportError("demo_failed", text)

    async def _check_refund(self, refund: IssueRefund) -> None:
        booked = await asyncio.to_thread(_booked, self.ledger, refund.payment_ref)
        if booked != [(refund.amount.minor, refund.amount.currency)]:
            raise SupportError("demo_failed", f"the payment ledger holds {booked}, not one refund of {refund.amount}")

    async def _check_mail(self, case: Answered, refund: IssueRefund) -> Effects:
        async with asyncio.timeout(_LONGEST_SECONDS):
            await self.mailbox.wait_for(1)
        letters = self.mailbox.letters
        body = letters[0].get_body(("plain",))
        said = " ".join(body.get_content().split()) if body is not None else ""
        draft = case.record.sections.draft if case.record else None
        if len(letters) != 1 or draft is None or " ".join(draft.text.split()) not in said:
            raise SupportError(
                "demo_failed", f"{len(letters)} letters, and the first is not the reply that was approved"
            )
        return Effects(refund=str(refund.amount), letters=len(letters), subject=str(letters[0]["Subject"]))


def _accepted(answer: httpx.Response, doing: str) -> dict[str, Any]:
    if not answer.is_success:
        raise SupportError("demo_failed", f"{doing} was refused: {answer.status_code} {answer.text[:300]}")
    body: dict[str, Any] = answer.json()
    return body


def _refund(record: RunRecord) -> IssueRefund | None:
    return next((action for action in record.actions if isinstance(action, IssueRefund)), None)


def _request(timeline: TicketTimeline, kind: ActionKind) -> ApprovalRequest:
    found = [request for request in timeline.requests if request.kind is kind]
    if not found:
        raise SupportError("demo_failed", f"ticket {timeline.ticket.external_id} has no request for a {kind}")
    return found[-1]


def _booked(ledger: Path, payment_ref: str) -> list[tuple[int, str]]:
    """Read the gateway's own file, as its owner would."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        query = "SELECT minor, currency FROM refunds WHERE payment_ref = ?"
        return [(int(minor), str(currency)) for minor, currency in connection.execute(query, (payment_ref,))]

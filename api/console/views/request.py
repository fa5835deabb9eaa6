"""The request page's content, put together from stored rows; it reads no draft where exact bytes exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.console.views.action import LetterView, RefundView, StepView, short, shown_action
from api.console.views.evidence import (
    CheckLine,
    CitedPassage,
    StageBar,
    check_lines,
    cited,
    length_of,
    stage_bars,
    uncited,
)
from api.console.views.state import StateView
from api.console.views.words import Words, newest_words
from approvals.canonical import AnyAction
from approvals.fuller import FullerDraft
from approvals.order_line import order_line
from approvals.verdict_line import VerdictLine, verdict_of
from approvals.wording import Badge, counted, milliseconds
from db.repositories.approvals import ApprovalRequest
from db.repositories.tickets import Ticket
from support_agents.domain.ids import RequestId, TicketId
from support_agents.domain.runs import Rechecked, RunRecord, Sections
from support_agents.domain.sections import ComputedFact
from support_agents.domain.ticket import Message


@dataclass(frozen=True)
class Grounds:
    """What a request rests on. `rechecked` is there when a person has edited the text, `fuller` when time cut it."""

    request: ApprovalRequest
    action: AnyAction
    ticket: Ticket
    messages: Sequence[Message]
    record: RunRecord
    rechecked: Rechecked | None
    edited_by: str
    waits_for: str
    flags: tuple[Badge, ...]
    fuller: FullerDraft | None = None


@dataclass(frozen=True)
class RequestView:
    """The whole page."""

    request_id: RequestId
    ticket_id: TicketId
    subject: str
    customer: str
    email: str
    verified: bool
    flags: tuple[Badge, ...]
    channel: str
    language: str
    words: tuple[Words, ...]
    order: Badge
    letter: LetterView | None
    refund: RefundView | None
    step: StepView | None
    waits_for: str
    dry_run: bool
    edited_by: str
    fuller: FullerDraft | None
    verdict: VerdictLine
    cited: tuple[CitedPassage, ...]
    others: tuple[CitedPassage, ...]
    facts: tuple[ComputedFact, ...]
    checks: tuple[CheckLine, ...]
    checks_words: str
    stages: tuple[StageBar, ...]
    total_ms: str
    length: str
    digest: str
    digest_short: str
    state: StateView
    previous: RequestId | None
    next: RequestId | None
    now: datetime


def shown_request(
    grounds: Grounds, state: StateView, *, neighbours: tuple[RequestId | None, RequestId | None], now: datetime
) -> RequestView:
    """Put the page together."""
    ticket, request, sections = grounds.ticket, grounds.request, grounds.record.sections
    action = shown_action(grounds.action)
    letter = action if isinstance(action, LetterView) else None
    if grounds.rechecked is not None and sections.draft is not None:
        draft = sections.draft.model_copy(update={"sentences": grounds.rechecked.sentences})
        sections = sections.model_copy(update={"draft": draft, "compliance": grounds.rechecked.compliance})
    checks = sections.compliance.checks if sections.compliance and letter else ()
    facts = sections.plan.facts if sections.plan else ()
    total = (grounds.record.finished_at - grounds.record.received_at).total_seconds() * 1000
    return RequestView(
        request_id=request.id,
        ticket_id=ticket.id,
        subject=ticket.subject,
        customer=ticket.requester_name or ticket.requester_email,
        email=ticket.requester_email,
        verified=ticket.requester_verified,
        flags=grounds.flags,
        channel=ticket.channel,
        language=sections.screening.language if sections.screening else "",
        words=newest_words(grounds.messages, _asks(sections)),
        order=order_line(sections.plan),
        letter=letter,
        refund=action if isinstance(action, RefundView) else None,
        step=action if isinstance(action, StepView) else None,
        waits_for=grounds.waits_for,
        dry_run=grounds.action.dry_run,
        edited_by=grounds.edited_by,
        fuller=grounds.fuller if state.decidable else None,
        verdict=verdict_of(grounds.action, sections),
        cited=cited(sections) if letter else (),
        others=uncited(sections) if letter else (),
        facts=facts,
        checks=check_lines(checks),
        checks_words=f"{counted(len(checks), 'check')}" if checks else counted(len(facts), "fact"),
        stages=stage_bars(grounds.record.timings),
        total_ms=milliseconds(total),
        length=length_of(grounds.record),
        digest=request.digest,
        digest_short=short(request.digest),
        state=state,
        previous=neighbours[0],
        next=neighbours[1],
        now=now,
    )


def _asks(sections: Sections) -> tuple[str, ...]:
    """What the customer asks for, as far as the message is trusted to say so."""
    trusted = sections.screening is not None and not sections.screening.injection
    return tuple(ask.text for ask in sections.intent.asks) if trusted and sections.intent else ()

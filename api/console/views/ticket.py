"""A ticket's life in one column, oldest first: said, thought, asked, decided, done; nothing is left out or made up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from api.console.views.evidence import CitedPassage, StageBar, cited, length_of, stage_bars, uncited
from api.console.views.files import FileShown, shown_files
from api.console.views.words import Words, shown_words
from approvals.item_lines import cost_of, customer
from approvals.standing import VERBS
from approvals.verdict_line import VerdictLine, verdict_line
from approvals.wording import EXECUTIONS, KINDS, OUTCOMES, REQUESTS, Badge, Tone, milliseconds, words
from db.read_models.queue import Answer
from db.read_models.ticket_timeline import StoredMessage, TicketTimeline
from db.repositories.approvals import ApprovalRequest
from db.repositories.executions import Attempt, Execution
from db.repositories.inside_steps import InsideStep
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus
from support_agents.domain.ids import RequestId, RunId, TicketId
from support_agents.domain.money import Money
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.sections import ScreeningSection
from support_agents.domain.ticket import Author, EventKind
from support_agents.wording.handing_off import Acknowledgement, acknowledgement

EntryKind = Literal["said", "ours", "event", "run", "request", "decision", "execution", "step"]


@dataclass(frozen=True)
class RunView:
    """What a run made of the ticket; `corrected` is the intent a person gave its message."""

    id: RunId
    intent: str
    corrected: str
    draft: str
    handing_off: Acknowledgement | None
    verdict: VerdictLine | None
    cited: tuple[CitedPassage, ...]
    others: tuple[CitedPassage, ...]
    stages: tuple[StageBar, ...]
    total_ms: str
    length: str
    cost: str


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    kind: EntryKind
    at: datetime
    title: str
    detail: str = ""
    tone: Tone | None = None
    badges: tuple[Badge, ...] = ()
    words: Words | None = None
    files: tuple[FileShown, ...] = ()
    run: RunView | None = None
    request_id: RequestId | None = None


@dataclass(frozen=True)
class TicketView:
    """The whole page."""

    ticket_id: TicketId
    subject: str
    customer: str
    email: str
    verified: bool
    source: str
    external_id: str
    channel: str
    order_id: str
    status: str
    needs_person: str
    cost: str
    entries: tuple[Entry, ...]
    now: datetime


def shown_ticket(timeline: TicketTimeline, corrected: Mapping[RunId, str], *, now: datetime) -> TicketView:
    """Put the page together."""
    ticket = timeline.ticket
    return TicketView(
        ticket_id=ticket.id,
        subject=ticket.subject,
        customer=customer(ticket),
        email=ticket.requester_email,
        verified=ticket.requester_verified,
        source=ticket.source,
        external_id=ticket.external_id,
        channel=ticket.channel,
        order_id=ticket.order_id or "",
        status=ticket.status,
        needs_person=ticket.needs_person_reason or "",
        cost=cost_of(*timeline.runs) if len(timeline.runs) > 1 else "",
        entries=tuple(sorted(_entries(timeline, corrected), key=lambda entry: entry.at)),
        now=now,
    )


def _entries(timeline: TicketTimeline, corrected: Mapping[RunId, str]) -> Iterator[Entry]:
    yield from (_message(stored, customer(timeline.ticket)) for stored in timeline.messages)
    yield from (Entry("event", event.received_at, _EVENTS[event.kind]) for event in timeline.events)
    yield from (
        _run(record, corrected.get(record.run_id, ""), timeline.ticket.requester_name) for record in timeline.runs
    )
    for request in timeline.requests:
        yield from _request(request, timeline.answers.get(request.id, ()))
    attempts: dict[object, list[Attempt]] = {}
    for attempt in timeline.attempts:
        attempts.setdefault(attempt.execution_id, []).append(attempt)
    for execution in timeline.executions:
        yield from _execution(execution, attempts.get(execution.id, []))
    yield from (_step(step) for step in timeline.inside_steps)


_EVENTS = {
    EventKind.MESSAGE_CREATED: "A message came",
    EventKind.TICKET_SOLVED: "Solved in the helpdesk",
    EventKind.TICKET_CLOSED: "Closed in the helpdesk",
    EventKind.TICKET_MERGED: "Merged into another ticket",
    EventKind.REQUESTER_CHANGED: "The requester was changed",
}


def _message(stored: StoredMessage, name: str) -> Entry:
    message = stored.message
    who = {Author.CUSTOMER: name, Author.OPERATOR: "An operator in the helpdesk", Author.SYSTEM: "The helpdesk itself"}
    badges = []
    if stored.automatic:
        badges.append(Badge("automatic"))
    if not message.public:
        badges.append(Badge("internal"))
    title = "What we sent, as it came back" if stored.ours else who[message.author]
    kind: EntryKind = "said" if message.author is Author.CUSTOMER else "ours"
    files = shown_files(message.attachments, stored.files)
    return Entry(kind, message.created_at, title, badges=tuple(badges), words=shown_words(message), files=files)


def _run(record: RunRecord, corrected: str, name: str) -> Entry:
    sections = record.sections
    badges = [OUTCOMES[record.outcome]]
    if sections.intent and sections.intent.intents:
        badges.append(Badge(words(sections.intent.top.name)))
    if corrected:
        badges.append(Badge(f"a person says: {words(corrected)}", Tone.CARE))
    if record.late:
        badges.append(Badge("late", Tone.CARE))
    total = (record.finished_at - record.received_at).total_seconds() * 1000
    shown = RunView(
        id=record.run_id,
        intent=sections.intent.top.name if sections.intent and sections.intent.intents else "",
        corrected=corrected,
        draft=sections.draft.text if sections.draft else "",
        handing_off=None if sections.draft or not sections.screening else _to_send(record, sections.screening, name),
        verdict=verdict_line(sections.compliance) if sections.draft else None,
        cited=cited(sections),
        others=uncited(sections),
        stages=stage_bars(record.timings),
        total_ms=milliseconds(total),
        length=length_of(record),
        cost=cost_of(record),
    )
    title = "Fuller draft" if record.parent_run_id else "Run"
    return Entry("run", record.finished_at, title, record.reason, badges=tuple(badges), run=shown)


def _to_send(record: RunRecord, screened: ScreeningSection, name: str) -> Acknowledgement | None:
    """A letter that says that a person answers, for a run that came to one."""
    if record.outcome not in {Outcome.HANDED_OFF, Outcome.EVIDENCE}:
        return None
    return acknowledgement(screened.language, name, {})


def _request(request: ApprovalRequest, answers: tuple[Answer, ...]) -> Iterator[Entry]:
    money = Money(minor=request.amount_minor, currency=request.currency) if request.currency else None
    what = f"Refund of {money}" if request.kind is ActionKind.ISSUE_REFUND else KINDS[request.kind]
    title = f"{what}, edited, put up for approval" if request.supersedes_id else f"{what} put up for approval"
    yield Entry("request", request.created_at, title, badges=(REQUESTS[request.status],), request_id=request.id)
    for answer in answers:
        decision = answer.decision
        tone = Tone.GOOD if decision.verdict is DecisionVerdict.APPROVE else Tone.BAD
        who = f"{answer.name or answer.email} ({decision.role}) {VERBS[decision.verdict]} the {what.lower()}"
        detail = f"“{decision.reason}”" if decision.reason else ""
        yield Entry("decision", decision.created_at, who, detail, tone=tone)
    if request.closed_at is not None and request.status in {RequestStatus.EXPIRED, RequestStatus.SUPERSEDED}:
        title = f"{what}: {REQUESTS[request.status].text}"
        yield Entry("request", request.closed_at, title, request.closed_reason or "")


def _execution(execution: Execution, attempts: list[Attempt]) -> Iterator[Entry]:
    what = KINDS[execution.kind]
    waiting = execution.status is ExecutionStatus.SCHEDULED
    scheduled = Entry("execution", execution.created_at, f"{what} scheduled", request_id=execution.request_id)
    yield replace(scheduled, badges=(EXECUTIONS[execution.status],)) if waiting else scheduled
    for attempt in attempts:
        if attempt.finished_at is None or attempt.outcome is None:
            yield Entry("execution", attempt.started_at, f"{what}: try {attempt.generation} began")
            continue
        detail = " · ".join(part for part in (attempt.receipt, attempt.error) if part)
        title = f"{what}: try {attempt.generation}, {words(attempt.outcome)}"
        yield Entry("execution", attempt.finished_at, title, detail)
    if not waiting:
        badge = EXECUTIONS[execution.status]
        receipt = f"Receipt {execution.receipt}" if execution.receipt else ""
        detail = " · ".join(part for part in (receipt, execution.reason) if part)
        at = execution.finished_at or (attempts[-1].started_at if attempts else execution.created_at)
        yield Entry("execution", at, what, detail, tone=badge.tone, badges=(badge,), request_id=execution.request_id)


def _step(step: InsideStep) -> Entry:
    detail = " · ".join(part for part in (step.receipt, step.error) if part)
    return Entry(
        "step", step.created_at, f"Inside only: {words(step.kind)}", detail, badges=(Badge(words(step.status)),)
    )

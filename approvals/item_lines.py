"""Short lines about a request – who, how much, which flags – the same in lists and on cards; it decides nothing."""

from collections.abc import Sequence

from approvals.quoting import fold
from approvals.wording import HAPPENED, Badge, Tone, counted
from db.read_models.queue import QueueItem
from db.repositories.tickets import Ticket
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict
from support_agents.domain.money import Money
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.sections import Verdict
from support_agents.domain.ticket import Attachment

_WORDS = 240
_KIB = 1024
_MILLION = 1_000_000


def customer(ticket: Ticket) -> str:
    """How people call whoever wrote."""
    return ticket.requester_name or ticket.requester_email


def amount_of(item: QueueItem) -> str:
    """The money a request moves, or nothing."""
    request = item.request
    if request.amount_minor is None or request.currency is None:
        return ""
    return str(Money(minor=request.amount_minor, currency=request.currency))


def first_words(text: str, limit: int = _WORDS) -> str:
    """The beginning of what was said, on one line, without older mail."""
    line = " ".join(fold(text).fresh.split())
    return line if len(line) <= limit else f"{line[:limit].rstrip()}…"


def file_line(attachment: Attachment) -> str:
    """An attachment's name, type and size."""
    return file_named(attachment.filename, attachment.content_type, attachment.size)


def file_named(filename: str, content_type: str, size: int) -> str:
    """A file's name, type and size in one line; a size of 0 is unknown."""
    length = f"{size / _KIB / _KIB:.1f} MiB" if size >= _KIB * _KIB else f"{max(1, size // _KIB)} KiB" if size else ""
    return " · ".join(part for part in (filename or "(no name)", content_type, length) if part)


def cost_of(*records: RunRecord) -> str:
    """Tokens and dollars of runs together; nothing where no model was asked."""
    calls = [call for record in records for call in record.model_calls]
    tokens = sum(call.tokens_in + call.tokens_out for call in calls)
    if not tokens:
        return ""
    dollars = sum(call.cost_micro_usd for call in calls) / _MILLION
    return f"{counted(tokens, 'token')}, ${dollars:.4f}"


def flags_of(item: QueueItem, *, beside: str = "") -> tuple[Badge, ...]:
    """What a person should know before deciding, in plain words; `beside` is a sentence that says what it waits for."""
    sections, request = item.run.sections, item.request
    flags = []
    if sections.screening and sections.screening.injection:
        flags.append(Badge("tries to instruct the software", Tone.BAD))
    if sections.retrieval and sections.retrieval.tainted:
        flags.append(Badge("an article tries to instruct the software", Tone.BAD))
    if item.run.outlier is not None and item.run.outlier.stands_out:
        flags.append(Badge(_unlike(item.run.outlier.why), Tone.CARE))
    if item.ticket.requester_verified is False:
        flags.append(Badge("not authenticated", Tone.CARE))
    if request.approvals_needed > 1:
        given = sum(answer.decision.verdict is DecisionVerdict.APPROVE for answer in item.answers)
        flags.append(Badge(f"{given} of {counted(request.approvals_needed, 'approval')}", Tone.CARE))
    if request.supersedes_id is not None:
        flags.append(Badge("edited"))
    elif request.kind is ActionKind.SEND_REPLY:
        flags += _draft_flags(item)
    if request.after_action_id is not None and not beside:
        flags.append(Badge(f"waits for {HAPPENED[item.after_kind][0] if item.after_kind else 'another action'}"))
    return tuple(flags)


def _unlike(why: Sequence[str]) -> str:
    """In which way a case is unlike earlier ones, if one thing alone does not tell."""
    return f"unlike earlier cases: {', '.join(why)}" if why else "unlike earlier cases as a whole"


def _draft_flags(item: QueueItem) -> list[Badge]:
    compliance = item.run.sections.compliance
    flags = [Badge("asks a question back")] if item.run.outcome is Outcome.CLARIFY else []
    if compliance and compliance.verdict is Verdict.REPAIRED:
        flags.append(Badge(f"{counted(len(compliance.dropped), 'sentence')} dropped", Tone.CARE))
    return flags

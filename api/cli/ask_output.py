"""Shows what a run made of a message: as one JSON object, or for a person to read; it decides nothing."""

import json
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from api.cli.ask_input import Identifier
from support_agents.agents.drafting import best_quote
from support_agents.domain.action import IssueRefund, ProposedAction, SendReply
from support_agents.domain.intent import UNKNOWN
from support_agents.domain.knowledge import Audience, Citation
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.sections import Check, CheckResult

MOST_EVIDENCE = 5


def as_object(record: RunRecord, identifier: Identifier) -> dict[str, object]:
    """Return the record as `ask --json` prints it; the keys are a contract."""
    sections = record.sections
    top = sections.intent.top if sections.intent else None
    return {
        "id": identifier,
        "outcome": record.outcome.value,
        "reason": record.reason,
        "text": sections.draft.text if sections.draft else "",
        "citations": [
            {"article": citation.article_id, "title": citation.title, "quote": citation.quote}
            for citation in cited(record)
        ],
        "checks": [{"name": c.name, "result": c.result.value, "reason": c.reason} for c in _checks(record)],
        "proposals": [action.model_dump(mode="json") for action in record.actions],
        "intent": top.name if top else UNKNOWN,
        "milliseconds": milliseconds(record),
        "stages": {timing.stage: round(timing.took_ms, 1) for timing in record.timings},
    }


def as_line(record: RunRecord, identifier: Identifier) -> str:
    """Return one line of JSON."""
    return json.dumps(as_object(record, identifier), ensure_ascii=False)


def milliseconds(record: RunRecord) -> float:
    """From the message's arrival to the end of its run."""
    return round((record.finished_at - record.received_at).total_seconds() * 1_000, 1)


def cited(record: RunRecord) -> tuple[Citation, ...]:
    """Return what the draft cites, each quote once, in order; without an answer, the evidence for a person."""
    draft = record.sections.draft
    if draft is None or not record.outcome.has_draft or record.outcome is Outcome.CLARIFY:
        return _found(record)
    return tuple(dict.fromkeys(citation for sentence in draft.sentences for citation in sentence.citations))


def _found(record: RunRecord) -> tuple[Citation, ...]:
    """The best public passages, each with its sentence that is nearest to the message."""
    found = record.sections.retrieval
    public = [one.passage for one in found.passages if one.passage.audience is Audience.PUBLIC] if found else []
    return tuple(
        Citation(
            passage_id=passage.id,
            article_id=passage.article_id,
            title=passage.title,
            quote=best_quote(found.query if found else "", passage.text),
        )
        for passage in public[:MOST_EVIDENCE]
    )


def show(record: RunRecord, console: Console) -> None:
    """Print one run for a person: draft, evidence, checks, proposals, times."""
    console.print(Group(*_parts(record)))


def proposal(action: ProposedAction) -> str:
    """Return an action in one line."""
    if isinstance(action, IssueRefund):
        clauses = ", ".join(f"{clause.id} v{clause.version}" for clause in action.clauses)
        return f"refund {action.amount} for {action.order_id} to the account ending {action.account_last4} ({clauses})"
    after = f", after {action.after}" if action.after else ""
    if isinstance(action, SendReply):
        return f"reply to {action.to}{after}"
    return f"{action.kind.replace('_', ' ')}{after}"


def stages(record: RunRecord) -> Table:
    """Return each stage's milliseconds."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for timing in record.timings:
        table.add_row(timing.stage, f"{timing.took_ms:.1f} ms", timing.error or "", style="dim")
    table.add_row("in all", f"{milliseconds(record):.1f} ms", "late" if record.late else "", style="dim")
    return table


def _parts(record: RunRecord) -> Iterator[RenderableType]:
    draft, intent = record.sections.draft, record.sections.intent
    named = f"{intent.top.name} {intent.top.probability:.0%}" if intent else "not understood"
    yield Text.assemble((record.outcome.value, "bold"), f" · {named} · {milliseconds(record):.0f} ms")
    if record.reason:
        yield Text(record.reason, style="yellow")
    if draft:
        yield Panel(Text(draft.text), title="draft", title_align="left")
    yield from _evidence(record)
    yield from (Text.assemble(("✗ ", "red"), check.name, ": ", check.reason) for check in _checks(record, failed=True))
    if record.sections.compliance:
        yield Text(verdict(record), style="dim")
    yield from (Text.assemble(("▸ ", "green"), proposal(action)) for action in record.actions)
    yield stages(record)


def _evidence(record: RunRecord) -> Iterator[RenderableType]:
    """The quotes of a draft; where there is none, the passages that a person would start from."""
    if record.sections.draft:
        for citation in cited(record):
            yield Text.assemble(("❝ ", "cyan"), (f"{citation.article_id}: ", "cyan"), citation.quote)
    elif record.sections.retrieval:
        for found in record.sections.retrieval.passages:
            yield Text.assemble(("· ", "cyan"), (f"{found.passage.article_id}: ", "cyan"), found.passage.text[:160])


def verdict(record: RunRecord) -> str:
    """Return the checks' word in one line."""
    section = record.sections.compliance
    if section is None:
        return "not checked"
    passed = sum(check.result is CheckResult.PASSED for check in section.checks)
    facts = f"{section.facts_stated} facts, {section.facts_confirmed} confirmed"
    return f"checks: {section.verdict.value} · {facts} · {passed} of {len(section.checks)} checks passed"


def _checks(record: RunRecord, *, failed: bool = False) -> tuple[Check, ...]:
    section = record.sections.compliance
    every = section.checks if section else ()
    return tuple(check for check in every if not failed or check.result is CheckResult.FAILED)

"""The demo's table: one row a message, filled in as its run ends; it reads records and prints nothing itself."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from api.demo.answers import Answered
from support_agents.domain.action import IssueRefund, ProposedAction, SendReply
from support_agents.domain.runs import Outcome, RunRecord

# Stages of a run in the order of their milliseconds in the column; those that take no time are left out.
STAGES = {"embedding": "embed", "intent": "intent", "orders": "order", "retrieval": "find", "drafting": "draft"}
LEGEND = f"{'·'.join(name[0] for name in STAGES.values())}: milliseconds to {', '.join(STAGES.values())}"
FAILED = "!"
_MOST_ARTICLES = 2


def table(answers: Sequence[Answered], *, waiting: str | None = None) -> Table:
    """Return the table so far; `waiting` is what the message under way is about."""
    made = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", expand=True, caption_justify="left")
    made.caption = None if waiting else LEGEND
    made.add_column("about", ratio=8, no_wrap=True, overflow="ellipsis")
    made.add_column("intent", ratio=4, no_wrap=True, overflow="ellipsis")
    made.add_column("outcome", no_wrap=True)
    made.add_column("ms", justify="right", no_wrap=True)
    made.add_column("·".join(name[0] for name in STAGES.values()), no_wrap=True, style="dim", justify="right")
    made.add_column("cites", ratio=5, no_wrap=True, overflow="ellipsis")
    made.add_column("proposes", ratio=4, no_wrap=True, overflow="ellipsis")
    for answered in answers:
        made.add_row(*_row(answered))
    if waiting is not None:
        made.add_row(Text(waiting, style="dim"), Text("…", style="dim"))
    return made


def _row(answered: Answered) -> list[Text]:
    record = answered.record
    about = Text(answered.message.about)
    if record is None:
        return [about, Text(), Text("duplicate", style="dim")]
    intent = record.sections.intent
    return [
        about,
        Text(intent.top.name.replace("_", " ") if intent else "–"),
        Text(record.outcome.value.replace("_", " "), style=_style(record.outcome)),
        Text(f"{answered.seconds * 1_000:.0f}"),
        Text("·".join(_took(record, stage) for stage in STAGES)),
        Text(_articles(answered.cited)),
        Text(" + ".join(_action(action) for action in reversed(record.actions))),
    ]


def _style(outcome: Outcome) -> str:
    if outcome is Outcome.CLARIFY:
        return "cyan"
    return "green" if outcome.has_draft else "yellow"


def _took(record: RunRecord, stage: str) -> str:
    found = [timing for timing in record.timings if timing.stage == stage]
    if any(timing.error for timing in found):
        return FAILED
    return f"{sum(timing.took_ms for timing in found):.0f}" if found else "-"


def _articles(cited: Sequence[str]) -> str:
    more = f" +{len(cited) - _MOST_ARTICLES}" if len(cited) > _MOST_ARTICLES else ""
    return ", ".join(cited[:_MOST_ARTICLES]) + more


def _action(action: ProposedAction) -> str:
    if isinstance(action, IssueRefund):
        return str(action.amount)
    return "reply" if isinstance(action, SendReply) else action.kind.replace("_", " ")

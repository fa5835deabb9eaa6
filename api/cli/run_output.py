"""Reads one stored run and shows it section by section; it runs nothing again."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from pydantic import BaseModel
from rich.console import Console
from rich.pretty import Pretty
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from api.cli import ask_output
from api.cli.installation import configured, recorded
from support_agents.domain.ids import RunId
from support_agents.domain.runs import ModelCall, RunRecord
from support_agents.domain.sections import SectionName

_LONGEST_STRING = 240


async def loaded(run: UUID) -> RunRecord:
    """Read a finished run; works beside a running server."""
    async with recorded(configured()) as records, records.database.read() as uow:
        return await uow.runs.load(RunId(run))


def show_record(record: RunRecord, console: Console) -> None:
    """Print identity, sections, proposals, times, tokens and versions."""
    console.print(Text(f"run {record.run_id} · ticket {record.ticket_id} · revision {record.ticket_revision}"))
    ask_output.show(record, console)
    for name, section in _sections(record):
        console.print(Rule(name, align="left"))
        console.print(Pretty(section.model_dump(mode="json"), max_string=_LONGEST_STRING, expand_all=True))
    console.print(Rule("model calls", align="left"))
    console.print(_calls(record))
    console.print(Rule("versions", align="left"))
    for part, version in sorted(record.versions.items()):
        console.print(f"{part}: {version}")


def _sections(record: RunRecord) -> Iterator[tuple[str, BaseModel]]:
    for name in SectionName:
        section = getattr(record.sections, name)
        if section is not None:
            yield name.value, section


def _calls(record: RunRecord) -> Table | Text:
    """A line for each call, then their sums; a dash where no token came."""
    calls = record.model_calls
    if not calls:
        return Text("none: no language model was asked", style="dim")
    table = Table(
        "agent", "model", "prompt", "in", "cached", "to cache", "out", "first ms", "ms", "µ$", "end", "route", box=None
    )
    for call in calls:
        table.add_row(
            call.agent, call.model, call.prompt_version, *_numbers((call,)), _first(call), str(round(call.total_ms)),
            str(call.cost_micro_usd), f"{call.stop} (estimated)" if call.estimated else call.stop, call.route or "–",
        )  # fmt: skip
    table.add_section()
    table.add_row("in all", "", "", *_numbers(calls), "", "", str(sum(call.cost_micro_usd for call in calls)), "", "")
    return table


def _numbers(calls: Sequence[ModelCall]) -> Iterator[str]:
    """Tokens in, of these from the cache and put into it, and out."""
    for of in ("tokens_in", "tokens_cached", "tokens_to_cache", "tokens_out"):
        yield str(sum(getattr(call, of) for call in calls))


def _first(call: ModelCall) -> str:
    return "–" if call.first_token_ms is None else str(round(call.first_token_ms))

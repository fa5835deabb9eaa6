"""Reads one stored run and shows it section by section; it runs nothing again."""

from collections.abc import Iterator
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
from support_agents.domain.runs import RunRecord
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
    if not record.model_calls:
        return Text("none: no language model was asked", style="dim")
    table = Table("agent", "model", "prompt", "in", "out", "cached", "ms", "µ$", "end", box=None)
    for call in record.model_calls:
        numbers = (call.tokens_in, call.tokens_out, call.tokens_cached, round(call.total_ms), call.cost_micro_usd)
        table.add_row(call.agent, call.model, call.prompt_version, *(str(number) for number in numbers), call.stop)
    return table

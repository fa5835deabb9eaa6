"""What `ask --json` prints is a contract: these keys, these types."""

import json
from datetime import UTC, datetime, timedelta

from api.cli.ask_output import as_line
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, TicketId, new_id
from support_agents.domain.runs import Outcome, RunRecord, Sections, StageTiming

KEYS = {
    *("id", "outcome", "reason", "text", "citations", "checks", "proposals", "intent", "milliseconds", "stages"),
}


def test_a_run_that_stopped_early_has_every_key() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    record = RunRecord(
        run_id=RunId(new_id()),
        workspace=DEFAULT_WORKSPACE,
        ticket_id=TicketId(new_id()),
        ticket_revision=1,
        outcome=Outcome.HANDED_OFF,
        reason="late – später",
        sections=Sections(),
        actions=(),
        timings=(StageTiming(stage="screening", started_ms=0, took_ms=1.26),),
        received_at=now,
        finished_at=now + timedelta(milliseconds=12),
    )
    line = as_line(record, "m-1")
    assert "\n" not in line
    assert "später" in line
    shown = json.loads(line)
    assert shown.keys() == KEYS
    assert (shown["id"], shown["outcome"], shown["intent"], shown["milliseconds"]) == (
        *("m-1", "handed_off", "unknown"),
        12.0,
    )
    assert shown["stages"] == {"screening": 1.3}

"""What `runs show` tells of the calls to models."""

import io
from datetime import UTC, datetime

from rich.console import Console

from api.cli.run_output import show_record
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, TicketId, new_id
from support_agents.domain.runs import ModelCall, Outcome, RunRecord, Sections

CALLS = (
    ModelCall(
        agent="drafting", model="openai:big", prompt_version="p.1", tokens_in=900, tokens_out=80, tokens_cached=500,
        first_token_ms=412.4, total_ms=990, cost_micro_usd=1_300, route="large: several questions",
    ),
    ModelCall(
        agent="intent", model="openai:little", prompt_version="p.2", tokens_in=100, tokens_to_cache=40, total_ms=200,
        cost_micro_usd=25, stop="llm_timeout",
    ),
)  # fmt: skip


RUN = RunRecord(
    run_id=RunId(new_id()), workspace=DEFAULT_WORKSPACE, ticket_id=TicketId(new_id()), ticket_revision=1,
    outcome=Outcome.HANDED_OFF, sections=Sections(), actions=(), timings=(), model_calls=CALLS,
    received_at=datetime(2026, 11, 22, tzinfo=UTC), finished_at=datetime(2026, 11, 22, tzinfo=UTC),
)  # fmt: skip


def test_each_call_has_its_first_token_and_route_and_all_have_sums() -> None:
    out = io.StringIO()
    show_record(RUN, Console(file=out, width=200))
    shown = out.getvalue().partition("model calls")[2]
    lines = [line.split() for line in shown.splitlines()]
    first, second, sums = (next(line for line in lines if line[:1] == [name]) for name in ("drafting", "intent", "in"))
    assert first[1:] == ["openai:big", "p.1", "900", "500", "0", "80", "412", "990", "1300", "complete", "large:",
                         "several", "questions"]  # fmt: skip
    assert second[1:] == ["openai:little", "p.2", "100", "0", "40", "0", "–", "200", "25", "llm_timeout", "–"]
    assert sums == ["in", "all", "1000", "500", "40", "80", "1325"]

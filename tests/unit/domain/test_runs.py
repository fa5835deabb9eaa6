"""Which runs were cut by time: only those are written whole afterwards, and never a second time."""

from datetime import UTC, datetime

import pytest

from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, TicketId, new_id
from support_agents.domain.runs import OUT_OF_TIME, Outcome, RunRecord, Sections

AT = datetime(2026, 11, 23, tzinfo=UTC)


def ended(outcome: Outcome, reason: str, *, parent: RunId | None = None) -> RunRecord:
    return RunRecord(
        run_id=RunId(new_id()),
        parent_run_id=parent,
        workspace=DEFAULT_WORKSPACE,
        ticket_id=TicketId(new_id()),
        ticket_revision=1,
        outcome=outcome,
        reason=reason,
        sections=Sections(),
        actions=(),
        timings=(),
        received_at=AT,
        finished_at=AT,
    )


@pytest.mark.parametrize("outcome", [Outcome.SHORTENED, Outcome.MACRO, Outcome.EXTRACTIVE])
def test_what_stands_because_time_was_short_was_cut(outcome: Outcome) -> None:
    assert ended(outcome, OUT_OF_TIME).was_cut
    assert not ended(outcome, "").was_cut
    assert not ended(outcome, "the drafter gave up (llm_auth)").was_cut
    assert not ended(outcome, OUT_OF_TIME, parent=RunId(new_id())).was_cut, "a child makes no child"


@pytest.mark.parametrize(
    "outcome", [Outcome.DRAFTED, Outcome.CLARIFY, Outcome.EVIDENCE, Outcome.HANDED_OFF, Outcome.OVERTAKEN]
)
def test_a_run_without_a_draft_that_was_cut_is_left(outcome: Outcome) -> None:
    assert not ended(outcome, OUT_OF_TIME).was_cut

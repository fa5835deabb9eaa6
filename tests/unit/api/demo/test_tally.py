"""The demo's last line counts records, not hopes."""

from datetime import UTC, datetime, timedelta

from api.demo import shop
from api.demo.answers import Answered, Tally
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, TicketId, new_id
from support_agents.domain.runs import Outcome, RunRecord, Sections

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def answered(outcome: Outcome, milliseconds: int) -> Answered:
    ticket = TicketId(new_id())
    record = RunRecord(
        run_id=RunId(new_id()),
        workspace=DEFAULT_WORKSPACE,
        ticket_id=ticket,
        ticket_revision=1,
        outcome=outcome,
        sections=Sections(),
        actions=(),
        timings=(),
        received_at=NOW,
        finished_at=NOW + timedelta(milliseconds=milliseconds),
    )
    return Answered(shop.messages()[0], ticket, record)


def test_each_outcome_is_counted_where_it_belongs() -> None:
    outcomes = [*Outcome.__members__.values()]
    answers = [answered(outcome, 10 * (at + 1)) for at, outcome in enumerate(outcomes)]
    answers.append(Answered(shop.messages()[23], TicketId(new_id()), None, duplicate=True))
    line = Tally.of(tuple(answers)).line(sent=0)
    counts = "9 messages in · 4 drafts · 1 question back · 3 to a person · 1 duplicate recognised"
    assert line == f"{counts} · slowest 0.08 s · nothing sent"


def test_what_was_sent_is_said() -> None:
    assert Tally.of((answered(Outcome.DRAFTED, 20),)).line(sent=2).endswith("slowest 0.02 s · 2 sent")

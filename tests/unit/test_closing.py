"""What is kept back of a deadline follows what runs lately needed between drafting and the card, within limits."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from support_agents.agents.protocol import StreamEnd
from support_agents.closing import Closing
from support_agents.domain.ids import RunId, new_id
from support_agents.domain.runs import Run
from support_agents.domain.sections import DraftingGiven, Rung, Sentence
from support_agents.stages import Shares
from tests.fixtures.pipeline import Parts, a_run, ticket
from tests.unit.test_pipeline_outcomes import QUESTION, assert_whole

USUAL = 0.2


def _taught(*seconds: float) -> Closing:
    closing = Closing()
    for took in seconds:
        run = RunId(new_id())
        closing.began(run, 10.0)
        closing.ended(run, 10.0 + took)
    return closing


def test_until_enough_runs_have_ended_the_usual_share_is_kept_back() -> None:
    assert _taught(*[0.01] * 19).kept_back(USUAL) == USUAL


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [(0.01, USUAL / 2), (0.08, 0.16), (0.15, 0.3), (5.0, 3 * USUAL)],
    ids=["quick", "usual", "slow", "far too slow"],
)
def test_twice_of_what_it_took_is_kept_back_within_limits(seconds: float, kept: float) -> None:
    assert _taught(*[seconds] * 30).kept_back(USUAL) == pytest.approx(kept)


def test_one_outlier_in_a_hundred_does_not_count_and_two_do() -> None:
    assert _taught(*[0.01] * 99, 0.2).kept_back(USUAL) == pytest.approx(USUAL / 2)
    assert _taught(*[0.01] * 98, 0.2, 0.2).kept_back(USUAL) == pytest.approx(0.4)


def test_a_machine_that_is_quick_again_is_believed_after_a_hundred_runs() -> None:
    assert _taught(*[0.3] * 50, *[0.01] * 100).kept_back(USUAL) == pytest.approx(USUAL / 2)


def test_a_run_that_never_drafted_and_a_card_before_the_instant_teach_nothing_bad() -> None:
    closing = Closing()
    closing.ended(RunId(new_id()), 1.0)
    run = RunId(new_id())
    closing.began(run, 10.0)
    closing.ended(run, 9.0)
    closing.ended(run, 50.0)
    assert closing.kept_back(USUAL) == USUAL


@dataclass
class _Noting:
    """A drafter that says nothing and notes by when it has to be done."""

    until: list[float] = field(default_factory=list)

    async def stream(self, _given: DraftingGiven, run: Run) -> AsyncIterator[Sentence | StreamEnd]:
        self.until.append(run.deadline.at)
        yield StreamEnd(Rung.DRAFTED, complete=False, model="", prompt_version="", fault="llm_cut")


async def test_i5_slow_commits_make_later_drafts_shorter_so_that_their_cards_are_in_time() -> None:
    drafter = _Noting()
    shares = Shares(drafting=60, commit=USUAL)
    runner = await Parts(replaced={"drafting": drafter, "shares": shares}).runner()
    kept = []
    for _ in range(21):
        run = a_run(30)
        assert_whole(await runner.run(ticket(QUESTION), run))
        kept.append(run.deadline.at - drafter.until[-1])
        runner.pipeline.closing.began(run.id, 0.0)
        runner.pipeline.closing.ended(run.id, 0.25)
    assert kept[:20] == pytest.approx([USUAL] * 20, abs=0.01)
    assert kept[20] == pytest.approx(0.5, abs=0.01), "twice the quarter of a second that commits took"


async def test_the_runner_tells_how_long_a_card_took_after_drafting() -> None:
    runner = await Parts().runner()
    run = a_run(30)
    await runner.run(ticket(QUESTION), run)
    took = runner.pipeline.closing._took
    assert not took
    runner.ready(run)
    assert len(took) == 1

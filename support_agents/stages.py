"""One run under way: what it has gathered, its stages within their shares and timed; it decides nothing."""

from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from support_agents.attempt import survived
from support_agents.composing.choosing import Choice, Matched
from support_agents.domain.action import ProposedAction
from support_agents.domain.budget import NO_MODEL
from support_agents.domain.runs import ModelCall, Outcome, Run, Sections, StageTiming
from support_agents.domain.sections import ScreeningSection
from support_agents.domain.ticket import TicketSnapshot
from support_agents.llm.recorded import CallLog
from support_agents.ports import Clock
from support_agents.state import PipelineState

T = TypeVar("T")


class Shares(BaseModel):
    """Seconds of a run's deadline that a stage may take at most, and what is kept back for the commit."""

    model_config = ConfigDict(frozen=True)

    understanding: float = Field(default=0.8, gt=0, description="embedding, intent and the order look-up, each")
    retrieval: float = Field(default=0.6, gt=0)
    drafting: float = Field(default=1.75, gt=0)
    commit: float = Field(
        default=0.2, ge=0, description="kept back so that the card is ready in time, until it is known what that takes"
    )
    quoting: float = Field(default=0.35, gt=0, description="kept back for macros and quotes while a model drafts")
    least_model: float = Field(default=0.6, gt=0, description="with less than this left, no model is asked")
    shortest_draft: int = Field(default=60, ge=0, description="characters below which a cut draft is not used")


class Finished(BaseModel):
    """How a run ended and all it left behind."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    reason: str
    sections: Sections
    actions: tuple[ProposedAction, ...] = ()
    timings: tuple[StageTiming, ...]
    model_calls: tuple[ModelCall, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one run has gathered so far; only the pipeline holds it.

    What `shares` keep back for the commit no stage may use.
    """

    run: Run
    ticket: TicketSnapshot
    clock: Clock
    calls: CallLog
    shares: Shares
    began: float
    state: PipelineState = field(default_factory=PipelineState)
    timings: list[StageTiming] = field(default_factory=list)
    chosen: list[Choice] = field(default_factory=list)
    looked: list[Matched] = field(default_factory=list)

    def silenced(self, screened: ScreeningSection) -> "Work":
        """The same run without a token for any model, if the text still holds what a model must not read."""
        return replace(self, run=replace(self.run, budget=NO_MODEL)) if screened.doubted else self

    @property
    def abstains(self) -> bool:
        """Whether quoted sentences would be a guess: there are macros in this language, and none surely answers."""
        return bool(self.looked) and not self.looked[0].allows_quoting

    async def stage(self, name: str, doing: Awaitable[T], seconds: float) -> T | None:
        """Await one stage within its share; whatever goes wrong is noted, and the run goes on without it."""
        return await self.guarded(name, doing, min(seconds, max(0.0, self.run.deadline.remaining - self.shares.commit)))

    async def guarded(self, name: str, doing: Awaitable[T], seconds: float) -> T | None:
        """The same for what keeps a deadline of its own, which this guard must not come before."""
        started = self.clock.monotonic()
        result, error = await survived(doing, min(seconds, self.run.deadline.remaining))
        self.note(name, started, error)
        return result

    def note(self, stage: str, started: float, error: str | None) -> None:
        """Put on record when a stage began, how long it took until now, and the code of what went wrong."""
        took = self.clock.monotonic() - started
        began = started - self.began
        self.timings.append(StageTiming(stage=stage, started_ms=began * 1_000, took_ms=took * 1_000, error=error))

    def error_of(self, stage: str) -> str | None:
        """The code of what went wrong in a stage, if anything did."""
        return next((timing.error for timing in self.timings if timing.stage == stage and timing.error), None)

    def ended(self, outcome: Outcome, reason: str, *, actions: tuple[ProposedAction, ...] = ()) -> Finished:
        """Close the run."""
        return Finished(
            outcome=outcome,
            reason=reason,
            sections=self.state.sections(),
            actions=actions,
            timings=tuple(self.timings),
            model_calls=self.calls.take(self.run.id),
        )

"""A run – one passage of a ticket through the pipeline – and its record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from support_agents.domain.action import ProposedAction
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import RunId, TicketId, WorkspaceId
from support_agents.domain.sections import (
    ComplianceSection,
    DraftSection,
    IntentSection,
    PlanSection,
    RetrievalSection,
    ScreeningSection,
    Sentence,
)

# Why a draft is not the model's whole one, where nothing but time was short.
OUT_OF_TIME = "the drafter ran out of time"


@dataclass(frozen=True)
class Run:
    """The identity and limits of one run; passed explicitly to everything that works for it.

    `hurried`: so much else waits that no language model is asked; the run takes the rungs that need none.
    `private`: name and address of the customer, which no model outside may read; only `llm.redacted` looks at them.
    """

    id: RunId
    workspace: WorkspaceId
    deadline: Deadline
    budget: Budget
    hurried: bool = False
    private: tuple[str, ...] = field(default=(), repr=False)


class Outcome(StrEnum):
    """How a run ended; every run ends with exactly one."""

    DRAFTED = "drafted"
    SHORTENED = "shortened"
    MACRO = "macro"
    EXTRACTIVE = "extractive"
    CLARIFY = "clarify"
    EVIDENCE = "evidence"
    HANDED_OFF = "handed_off"
    OVERTAKEN = "overtaken"

    @property
    def has_draft(self) -> bool:
        """Whether a reply is proposed."""
        return self not in {Outcome.EVIDENCE, Outcome.HANDED_OFF, Outcome.OVERTAKEN}


_CUT = frozenset({Outcome.SHORTENED, Outcome.MACRO, Outcome.EXTRACTIVE})


class StageTiming(BaseModel):
    """When a stage began and how long it took, in milliseconds from the run's start."""

    model_config = ConfigDict(frozen=True)

    stage: str
    started_ms: float
    took_ms: float
    error: str | None = Field(default=None, description="code of what went wrong, if the stage gave up")


class ModelCall(BaseModel):
    """One call to a language model: what it was asked by, used and cost (millionths of a US dollar)."""

    model_config = ConfigDict(frozen=True)

    agent: str
    model: str
    prompt_version: str
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = Field(default=0, description="of those in: served from the provider's cache")
    tokens_to_cache: int = Field(default=0, description="of those in: put into it, which some charge more for")
    first_token_ms: float | None = None
    total_ms: float = 0
    cost_micro_usd: int = 0
    stop: str = "complete"
    estimated: bool = Field(default=False, description="tokens and cost by length: the call did not reach its end")
    route: str = Field(default="", description="why this model was picked")


class Delegate(BaseModel):
    """An agent's request that another take over; honoured within `Budget.max_depth`, never in a loop."""

    model_config = ConfigDict(frozen=True)

    to: str
    reason: str


class Sections(BaseModel):
    """A run's sections; one that was not reached is None."""

    model_config = ConfigDict(frozen=True)

    screening: ScreeningSection | None = None
    intent: IntentSection | None = None
    retrieval: RetrievalSection | None = None
    plan: PlanSection | None = None
    draft: DraftSection | None = None
    compliance: ComplianceSection | None = None


class OutlierMark(BaseModel):
    """A run in numbers, and how far it lies from those before it; no score where too few were known then."""

    model_config = ConfigDict(frozen=True)

    features: tuple[float, ...]
    version: str = Field(description="of the numbers' meaning; different ones are never compared")
    score: float | None = None
    limit: float | None = None
    why: tuple[str, ...] = Field(default=(), description="in which ways it is unusual, in words; none from outside")

    @property
    def stands_out(self) -> bool:
        """Whether people are told."""
        return self.score is not None and self.limit is not None and self.score > self.limit


class RunRecord(BaseModel):
    """All that is kept of a run: what was seen, thought, used and proposed."""

    model_config = ConfigDict(frozen=True)

    run_id: RunId
    parent_run_id: RunId | None = Field(default=None, description="the run whose cut draft this one wrote whole")
    workspace: WorkspaceId
    ticket_id: TicketId
    ticket_revision: int
    outcome: Outcome
    reason: str = Field(default="", description="why not better, for a person")
    sections: Sections
    actions: tuple[ProposedAction, ...]
    timings: tuple[StageTiming, ...]
    model_calls: tuple[ModelCall, ...] = ()
    versions: Mapping[str, str] = Field(default_factory=dict)
    received_at: AwareDatetime
    finished_at: AwareDatetime
    late: bool = Field(default=False, description="resumed after a crash, or past its deadline")
    outlier: OutlierMark | None = Field(default=None, description="how unlike earlier runs it is, if that was asked")

    @property
    def was_cut(self) -> bool:
        """Whether a model was still writing when the draft had to stand; a child run is not cut again: it had time."""
        return self.parent_run_id is None and self.outcome in _CUT and self.reason == OUT_OF_TIME


class Rechecked(BaseModel):
    """The result of checking a person's edit: the same sections' types as a run's."""

    model_config = ConfigDict(frozen=True)

    text: str
    sentences: tuple[Sentence, ...]
    compliance: ComplianceSection

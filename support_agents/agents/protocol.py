"""The three shapes an agent can have; each sees its own input and writes its own section, nothing else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from support_agents.domain.runs import Delegate, Run
from support_agents.domain.sections import Check, ComplianceGiven, ComplianceSection, DraftingGiven, Rung, Sentence

Given_contra = TypeVar("Given_contra", contravariant=True)
Wrote_co = TypeVar("Wrote_co", covariant=True)


class Agent(Protocol[Given_contra, Wrote_co]):
    """One input, one section. Intent, retrieval and interaction log have this shape."""

    async def work(self, given: Given_contra, run: Run) -> Wrote_co:
        """Do the work before `run.deadline`; raise `SupportError` if it cannot be done."""
        ...


@dataclass(frozen=True)
class StreamEnd:
    """The end of a drafting stream: which rung it reached, what it left open, and the code of what cut it short."""

    rung: Rung
    complete: bool
    model: str
    prompt_version: str
    open_asks: tuple[str, ...] = ()
    fault: str = ""
    delegate: Delegate | None = None


class Streaming(Protocol):
    """Drafting: whole sentences as they come, then one `StreamEnd`."""

    def stream(self, given: DraftingGiven, run: Run) -> AsyncIterator[Sentence | StreamEnd]:
        """Yield sentences in reading order; the pipeline may stop listening at any time."""
        ...


@dataclass(frozen=True)
class SentenceVerdict:
    """Compliance's word on one sentence: its checks, and whether it may stay."""

    keep: bool
    checks: tuple[Check, ...]
    sentence: Sentence | None = None


class SentenceCheck(Protocol):
    """Compliance: sentence by sentence while the draft streams, then the whole."""

    def check(self, sentence: Sentence, index: int, given: ComplianceGiven) -> SentenceVerdict:
        """Judge one sentence; pure and fast (well under a millisecond)."""
        ...

    def close(
        self, kept: tuple[Sentence, ...], verdicts: tuple[SentenceVerdict, ...], given: ComplianceGiven
    ) -> ComplianceSection:
        """Judge what is left as a whole; `BLOCKED` when too little is left or the whole fails."""
        ...

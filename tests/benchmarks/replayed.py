"""Agents that answer at once with the sections of an earlier run, so that only what is around them takes time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from support_agents.agents.intent import IntentGiven
from support_agents.agents.protocol import SentenceVerdict, StreamEnd
from support_agents.agents.retrieval import RetrievalGiven
from support_agents.domain.runs import Run, RunRecord
from support_agents.domain.sections import (
    ComplianceGiven,
    ComplianceSection,
    DraftingGiven,
    DraftSection,
    IntentSection,
    PlanSection,
    RetrievalSection,
    ScreeningSection,
    Sentence,
)
from support_agents.pipeline import Pipeline
from support_agents.ports import Vector

Wrote = TypeVar("Wrote")


@dataclass(frozen=True)
class _Intent:
    section: IntentSection

    async def work(self, _given: IntentGiven, _run: Run) -> IntentSection:
        return self.section


@dataclass(frozen=True)
class _Retrieval:
    section: RetrievalSection

    async def work(self, _given: RetrievalGiven, _run: Run) -> RetrievalSection:
        return self.section


@dataclass(frozen=True)
class _Drafting:
    section: DraftSection

    async def stream(self, _given: DraftingGiven, _run: Run) -> AsyncIterator[Sentence | StreamEnd]:
        for sentence in self.section.sentences:
            yield sentence
        draft = self.section
        yield StreamEnd(draft.rung, complete=True, model=draft.model, prompt_version=draft.prompt_version)


@dataclass(frozen=True)
class _Compliance:
    section: ComplianceSection

    def check(self, _sentence: Sentence, _index: int, _given: ComplianceGiven) -> SentenceVerdict:
        return SentenceVerdict(keep=True, checks=())

    def close(
        self, _kept: tuple[Sentence, ...], _verdicts: tuple[SentenceVerdict, ...], _given: ComplianceGiven
    ) -> ComplianceSection:
        return self.section


@dataclass(frozen=True)
class _Embedder:
    version: str
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> Vector:
        return np.zeros((len(texts), self.dimensions), dtype=np.float32)


def _there(section: Wrote | None) -> Wrote:
    assert section is not None, "the run to be replayed did not draft"
    return section


@dataclass(frozen=True, kw_only=True)
class _Replaying(Pipeline):
    """The pipeline, whose rules outside of agents answer at once, too."""

    record: RunRecord

    async def _evidence(self, *_given: object) -> RetrievalSection:
        return _there(self.record.sections.retrieval)

    async def _planned(self, *_given: object) -> PlanSection:
        return _there(self.record.sections.plan)

    def _order_numbers(self, *_given: object) -> tuple[str, ...]:
        return ()


def replaying(pipeline: Pipeline, record: RunRecord) -> Pipeline:
    """Return the pipeline with trivial agents and rules; what orders, limits and joins them stays as it is."""
    found = record.sections
    screened, intent, retrieval, draft, compliance = (
        _there(found.screening),
        _there(found.intent),
        _there(found.retrieval),
        _there(found.draft),
        _there(found.compliance),
    )

    def screen(_text: str, _subject: str) -> ScreeningSection:
        return screened

    made = _Replaying(**{each.name: getattr(pipeline, each.name) for each in fields(pipeline)}, record=record)
    drafting = _Drafting(draft)
    return replace(
        made,
        screen=screen,
        embedder=_Embedder(pipeline.embedder.version, pipeline.embedder.dimensions),
        intent=_Intent(intent),
        retrieval=_Retrieval(retrieval),
        drafting=drafting,
        spare_drafting=None,
        compliance=_Compliance(compliance),
        macros=None,
        detector=None,
        debate=None,
    )

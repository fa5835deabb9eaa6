"""Finds the passages that a reply may rest on; it never answers, and "nothing relevant" is one of its results."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from support_agents.agents.evidence_judge import EvidenceJudge
from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.intent import Ask
from support_agents.domain.knowledge import Audience, RetrievedPassage
from support_agents.domain.runs import Run
from support_agents.domain.sections import RetrievalSection
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.knowledge.validation import is_evidence, judged
from support_agents.ports import Embedder, Vector, VectorStore
from support_agents.screening.terms import coverage, passage_terms, terms

# Similarity (cosine) from which a passage counts as relevant. On a help centre of 414 articles, 44 of 45 questions
# about other things stay below it and 96 of 98 about it reach it; see tests/evals/measure_help_center.py.
FLOOR = 0.38
# How far below the floor a passage may lie that contains most of the words of the question.
LEXICAL_RELIEF, LEXICAL_COVERAGE = 0.06, 0.6
# How far below it one may lie that ranks by words and title among others that are relevant.
COMPANY_RELIEF = 0.1
# The embedder knows English best and takes texts of one other language to be alike: there, words must agree as well,
# by their beginnings ("Lieferung", "Lieferadresse"), the more of them the lower the similarity is.
FOREIGN_RELIEF, FOREIGN_SUM, FOREIGN_LETTERS = 0.05, 0.85, 6
_BEST_KNOWN = "en"
LIMIT = 8
MOST_INTERNAL = 2
MOST_ASKS = 3
_CONSIDERED = 3  # times as many as may be returned are looked at
ALIKE = 0.85
# A hint is worded like the passage it looks for: what is less alike says something else.
HINT_FLOOR, _HINT_SEARCHED, _HINT_TAKEN = 0.5, 12, 3
MOST_HINTED = 10
# How many passages a message is said to come near to, relevant or not; a passage farther off must be as good as worded
# like the hint. Only an intent that the message bears witness to has hints, so far off is rare.
NEAR, FAR_ALIKE = 48, 0.62
_HINT_SECONDS, _LEARNED_AT_ONCE = 0.1, 8
_HINTS_KEPT = 256  # hints whose finds are kept, over all workspaces
# Seconds that must remain for another ask to be searched for: embedding and search take about 0.03.
_ASK_SECONDS = 0.15


class RetrievalGiven(BaseModel):
    """What retrieval sees: the screened message with its embedding, its language, and what it asks for."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    workspace: WorkspaceId
    query: str = Field(description="the newest message, screened")
    vector: Vector = Field(description="embedding of `query`, shape (dimensions,)")
    language: str = Field(description="ISO 639-1 code of the message")
    limit: int = LIMIT
    asks: tuple[Ask, ...] = ()
    previous: tuple[str, ...] = Field(default=(), description="the customer's last messages before, oldest first")
    hints: tuple[str, ...] = Field(
        default=(), description="what an answer would say: fixed lines, never the customer's"
    )
    today: date | None = Field(default=None, description="articles verified until an earlier day are stale")


@dataclass(frozen=True)
class RetrievalAgent:
    """`Agent[RetrievalGiven, RetrievalSection]` on one index; `embedder` serves only messages with several asks.

    `remembering` embeds hints, which come again with every message of their kind. `topics` ranks what was found by
    what whole articles are about; without it, or before it is ready, the search's own order stands. `searching`, where
    there is one, embeds whatever is searched for: the index holds its vectors then and not those that are given, and
    it knows all languages equally well.
    """

    store: VectorStore
    embedder: Embedder
    floor: float = FLOOR
    remembering: Embedder | None = None
    topics: TopicShelf | None = None
    judge: EvidenceJudge | None = None
    searching: Embedder | None = None
    _hint_vectors: dict[str, Vector] = field(default_factory=dict, repr=False, compare=False)
    _hint_finds: dict[tuple[WorkspaceId, str], tuple[str, tuple[RetrievedPassage, ...]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    async def work(self, given: RetrievalGiven, run: Run) -> RetrievalSection:
        """Search for the message and for each of several asks; best first, the customer's language before others.

        Passages of both audiences are returned, at most `MOST_INTERNAL` internal ones; a passage in another language
        than `given.language` stands last and must not be quoted to the customer as it is.
        """
        version = self.store.version
        near: set[str] = set()
        vector = given.vector if self.searching is None else (await self.searching.embed([given.query]))[0]
        rankings = [await self._relevant(given, given.query, vector, near)]
        for ask in given.asks[:MOST_ASKS] if len(given.asks) > 1 else ():
            if run.deadline.remaining < _ASK_SECONDS:
                break
            vector = (await (self.searching or self.embedder).embed([ask.text]))[0]
            rankings.append(await self._relevant(given, ask.text, vector, near))
        # A hint goes by the intent, which may be wrong: articles that the message itself comes near are believed first.
        hinted = [
            retrieved
            for retrieved in (await self._hinted(given) if run.deadline.remaining >= _ASK_SECONDS else [])
            if retrieved.passage.article_id in near or retrieved.similarity >= FAR_ALIKE
        ]
        chosen = _chosen(_interleaved(rankings), given)
        answering = await self._answering(given, chosen, run)
        kept = {one.passage.id for one in answering}
        return RetrievalSection(
            query=given.query,
            passages=_dated(_with_hinted(answering, hinted), given.today),
            floor=self.floor,
            index_version=version,
            set_aside=tuple(dict.fromkeys(one.passage.title for one in chosen if one.passage.id not in kept)),
        )

    async def _answering(
        self, given: RetrievalGiven, chosen: tuple[RetrievedPassage, ...], run: Run
    ) -> tuple[RetrievedPassage, ...]:
        """Return the passages that seem to answer; a model is asked about doubtful ones, if there is one.

        An installation that has lowered the floor wants what lies below it, so there nothing is set aside.
        """
        answering = tuple(filter(is_evidence, chosen)) if self.floor >= FLOOR else chosen
        if self.judge is None or run.hurried:
            return answering
        return await self.judge.answering(given.query, answering, run)

    async def learn(self, hints: Sequence[str], embedder: Embedder) -> None:
        """Embed hints ahead of need; `embedder` is of the same version and may let messages go first."""
        for start in range(0, len(hints), _LEARNED_AT_ONCE):
            fresh = [hint for hint in hints[start : start + _LEARNED_AT_ONCE] if hint not in self._hint_vectors]
            self._hint_vectors.update(zip(fresh, await embedder.embed(fresh), strict=True) if fresh else ())

    async def _relevant(
        self, given: RetrievalGiven, query: str, vector: Vector, near: set[str]
    ) -> list[RetrievedPassage]:
        """Return what is relevant to `query`, best first; the articles of all that came near are added to `near`."""
        if not terms(query):
            return []
        found = await self.store.search(given.workspace, query, np.asarray(vector), limit=NEAR)
        near |= {retrieved.passage.article_id for retrieved in found}
        best = await self._ranked(given, query, np.asarray(vector), found)
        company = self.floor - (COMPANY_RELIEF if best is not found else 0.0)
        kept = self._kept(query, best[: _CONSIDERED * given.limit], company)
        # The judgement was fitted within one language: across two, what answers lies lower for no fault of its own.
        return kept if self.searching is not None and given.language != _BEST_KNOWN else judged(query, kept)

    async def _ranked(
        self, given: RetrievalGiven, query: str, vector: Vector, found: Sequence[RetrievedPassage]
    ) -> Sequence[RetrievedPassage]:
        """Rank what was found together with what the words and titles of whole articles promise."""
        topics = self.topics.at_hand(given.workspace) if self.topics else None
        if topics is None or not found:
            return found
        look = topics.look(query, vector, found, given.previous)
        compared = await self.store.compare(given.workspace, vector, topics.promising(look, found))
        return topics.ranked(look, found, compared, _CONSIDERED * given.limit)

    async def _hinted(self, given: RetrievalGiven) -> list[RetrievedPassage]:
        """Return the passages that say what an answer would say; the lines are few, so their vectors are kept."""
        fresh = [hint for hint in given.hints if hint not in self._hint_vectors]
        if fresh:
            # Not cancelled when it is late: what it computes is there for the next message.
            await asyncio.wait(
                {asyncio.ensure_future(self.learn(fresh, self.searching or self.remembering or self.embedder))},
                timeout=_HINT_SECONDS,
            )
        floor = HINT_FLOOR if self._knows(given.language) else HINT_FLOOR - 2 * FOREIGN_RELIEF
        rankings = []
        for hint in given.hints:
            vector = self._hint_vectors.get(hint)
            if vector is None:
                continue
            searched = await self._searched(given.workspace, hint, np.asarray(vector))
            fitting = [
                retrieved
                for retrieved in searched
                if retrieved.passage.language == given.language
                and retrieved.passage.audience is Audience.PUBLIC
                and retrieved.similarity >= floor
            ]
            rankings.append(fitting[:_HINT_TAKEN])
        return _interleaved(rankings) if rankings else []

    async def _searched(self, workspace: WorkspaceId, hint: str, vector: Vector) -> tuple[RetrievedPassage, ...]:
        """Search for a hint once for each state of the index: it is a fixed line, and no customer's."""
        version, known = self.store.version, self._hint_finds.get((workspace, hint))
        if known is not None and known[0] == version:
            return known[1]
        found = await self.store.search(workspace, hint, vector, limit=_HINT_SEARCHED)
        if len(self._hint_finds) >= _HINTS_KEPT:
            self._hint_finds.clear()
        self._hint_finds[workspace, hint] = version, found
        return found

    def _kept(self, query: str, ranked: Sequence[RetrievedPassage], company: float) -> list[RetrievedPassage]:
        """Drop what is not relevant; where something is, what ranks with it may lie as low as `company`."""
        relevant = [self._is_relevant(query, retrieved) for retrieved in ranked]
        if not any(relevant):
            return []
        return [
            retrieved
            for retrieved, is_relevant in zip(ranked, relevant, strict=True)
            if is_relevant or (self._knows(retrieved.passage.language) and retrieved.similarity >= company)
        ]

    def _knows(self, language: str) -> bool:
        """Whether what lies near is alike, in this language, without its words having to agree."""
        return self.searching is not None or language == _BEST_KNOWN

    def _is_relevant(self, query: str, retrieved: RetrievedPassage) -> bool:
        passage, similarity = retrieved.passage, retrieved.similarity
        known = self._knows(passage.language)
        if known and similarity >= self.floor:
            return True
        if similarity < self.floor - (LEXICAL_RELIEF if known else FOREIGN_RELIEF):
            return False
        text = f"{passage.title} {passage.heading} {passage.text}"
        if known:
            return coverage(query, text) >= LEXICAL_COVERAGE
        return similarity + coverage(query, text, letters=FOREIGN_LETTERS) >= FOREIGN_SUM


def _interleaved(rankings: Sequence[Sequence[RetrievedPassage]]) -> list[RetrievedPassage]:
    """Take turns, asks before the whole message: every ask's best stands before any second best."""
    asks_first = [*rankings[1:], rankings[0]]
    taken: dict[PassageId, RetrievedPassage] = {}
    for rank in range(max(map(len, asks_first))):
        for ranking in asks_first:
            if rank < len(ranking):
                taken.setdefault(ranking[rank].passage.id, ranking[rank])
    return list(taken.values())


def _chosen(found: Iterable[RetrievedPassage], given: RetrievalGiven) -> tuple[RetrievedPassage, ...]:
    """Cut to the limit, the customer's language first; a repeat goes, but never a public one for an internal one."""
    own_language_first = sorted(found, key=lambda retrieved: retrieved.passage.language != given.language)
    chosen: list[RetrievedPassage] = []
    seen: list[tuple[frozenset[str], bool]] = []
    internal = 0
    for retrieved in own_language_first:
        words = frozenset(terms(retrieved.passage.text)) or frozenset(passage_terms(retrieved.passage))
        is_internal = retrieved.passage.audience is Audience.INTERNAL
        repeats = any(_alike(words, other) and other_internal <= is_internal for other, other_internal in seen)
        if repeats or (is_internal and internal == MOST_INTERNAL):
            continue
        chosen.append(retrieved)
        seen.append((words, is_internal))
        internal += is_internal
        if len(chosen) == given.limit:
            break
    return tuple(chosen)


def _with_hinted(
    chosen: tuple[RetrievedPassage, ...], hinted: Sequence[RetrievedPassage]
) -> tuple[RetrievedPassage, ...]:
    known = {retrieved.passage.id for retrieved in chosen}
    return (*chosen, *[retrieved for retrieved in hinted if retrieved.passage.id not in known][:MOST_HINTED])


def _dated(found: tuple[RetrievedPassage, ...], today: date | None) -> tuple[RetrievedPassage, ...]:
    """Mark what is past the day until which it was verified; it stays evidence, for a person to judge."""
    return tuple(
        one.model_copy(update={"stale": True})
        if today and one.passage.verified_until and one.passage.verified_until < today
        else one
        for one in found
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if min(len(one), len(other)) < ALIKE * max(len(one), len(other)):
        return False  # as most are: no two sets need be made
    return len(one & other) >= ALIKE * len(one | other)

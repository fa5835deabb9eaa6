"""A passage index whose cosines are brought to the scale that limits were fitted to; it stores nothing of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.knowledge import Passage, RetrievedPassage
from support_agents.domain.ranking import fused, words_part
from support_agents.knowledge.scale import Scale, fitted
from support_agents.ports import Embedder, PassageStore, Vector, VectorStore

# All that a store looks at for one query, so that the order can be made anew.
_CANDIDATES = 100
_PAGE = 200
# A fit takes some hundred comparisons, however many articles there are.
_MOST_TITLES, _OWN, _OTHERS, _EMBEDDED_AT_ONCE = 96, 4, 24, 8
# Questions that no helpdesk answers, so that even a single article has something that it is not about.
ELSEWHERE = (
    "Which river is the longest in South America?",
    "How do bees find their way home?",
    "Wer hat die Neunte Sinfonie geschrieben?",
    "Warum ist der Himmel am Abend rot?",
    "¿Cuántas lunas tiene Júpiter?",
    "¿Quién pintó las Meninas?",
    "Combien de cordes a un violon ?",
    "Quand fut construite la tour de Pise ?",
)

T = TypeVar("T")


@dataclass
class ScaledStore:
    """`VectorStore` around `inner`, for an embedder of questions, `queries`, whose cosines mean something of their own.

    The scale follows from the index and the articles alone, so each process fits it for itself and it can never be
    another index's. It is fitted before the first search and anew, beside searches, when the index has changed.
    """

    inner: VectorStore
    passages: PassageStore
    queries: Embedder
    _scales: dict[WorkspaceId, tuple[str, Scale]] = field(default_factory=dict, init=False, repr=False)
    _fitting: dict[WorkspaceId, asyncio.Task[Scale]] = field(default_factory=dict, init=False, repr=False)
    _asked: dict[str, Vector] = field(default_factory=dict, init=False, repr=False)

    @property
    def version(self) -> str:
        """That of the index."""
        return self.inner.version

    async def upsert(self, passages: Sequence[Passage], vectors: Vector) -> None:
        """Insert or replace."""
        await self.inner.upsert(passages, vectors)

    async def delete(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> None:
        """Forget these passages."""
        await self.inner.delete(workspace, ids)

    async def search(
        self, workspace: WorkspaceId, query: str, vector: Vector, *, limit: int
    ) -> tuple[RetrievedPassage, ...]:
        """Search, and put in order anew what was found: words weigh against sense on the reference's scale."""
        scale = await self._at_hand(workspace)
        found = {one.passage.id: one for one in await self.inner.search(workspace, query, vector, limit=_CANDIDATES)}
        words = {key: words_part(one.score, one.similarity) for key, one in found.items()}
        sense = {key: scale.one(one.similarity) for key, one in found.items()}
        return tuple(
            found[key].model_copy(update={"score": score, "similarity": sense[key]})
            for key, score in fused(sense, words)[:limit]
        )

    async def compare(
        self, workspace: WorkspaceId, vector: Vector, ids: Sequence[PassageId]
    ) -> Mapping[PassageId, float]:
        """Return cosines on the reference's scale."""
        scale = await self._at_hand(workspace)
        return {key: scale.one(cosine) for key, cosine in (await self.inner.compare(workspace, vector, ids)).items()}

    async def ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """List what searches see."""
        return await self.inner.ids(workspace)

    async def begin(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Build anew beside what is searched, where the index can."""
        return await self.inner.begin(workspace)

    async def publish(self, workspace: WorkspaceId) -> None:
        """Have searches see what was built."""
        await self.inner.publish(workspace)

    async def scale(self, workspace: WorkspaceId) -> Scale:
        """Return the scale at the index's present state, fitted now if need be."""
        known = self._scales.get(workspace)
        if known is not None and known[0] == self.version:
            return known[1]
        return await asyncio.shield(self._task(workspace))

    async def _at_hand(self, workspace: WorkspaceId) -> Scale:
        """Return the newest that was fitted; a search waits for the very first only."""
        known = self._scales.get(workspace)
        if known is None:
            return await self.scale(workspace)
        if known[0] != self.version:
            self._task(workspace)
        return known[1]

    def _task(self, workspace: WorkspaceId) -> asyncio.Task[Scale]:
        task = self._fitting.get(workspace)
        if task is None or task.done():
            task = self._fitting[workspace] = asyncio.create_task(self._fit(workspace))
            task.add_done_callback(_noted)
        return task

    async def _fit(self, workspace: WorkspaceId) -> Scale:
        version = self.version
        by_title = await self._by_title(workspace)
        everything = [passage_id for ids in by_title.values() for passage_id in ids]
        asked = (*_spread([*by_title], _MOST_TITLES), *ELSEWHERE)
        await self._embed([title for title in asked if title not in self._asked])
        self._asked = {title: self._asked[title] for title in asked}
        related, unrelated = [], []
        for at, title in enumerate(asked):
            own = _spread(by_title.get(title, []), _OWN)
            others = [one for one in _spread(everything[at:], _OTHERS) if one not in by_title.get(title, ())]
            cosines = await self.inner.compare(workspace, self._asked[title], [*own, *others])
            related += [max(found)] if (found := [cosines[one] for one in own if one in cosines]) else []
            unrelated += [cosines[one] for one in others if one in cosines]
        made = fitted(unrelated, related)
        self._scales[workspace] = version, made
        return made

    async def _by_title(self, workspace: WorkspaceId) -> dict[str, list[PassageId]]:
        """Return what is indexed by the titles of articles, in an order that is always the same."""
        ids = sorted(await self.inner.ids(workspace))
        by_title: dict[str, list[PassageId]] = {}
        for start in range(0, len(ids), _PAGE):
            for passage in await self.passages.passages(workspace, ids[start : start + _PAGE]):
                by_title.setdefault(passage.title, []).append(passage.id)
        return {title: sorted(by_title[title]) for title in sorted(by_title)}

    async def _embed(self, titles: Sequence[str]) -> None:
        """Embed titles as questions, a few at a time, so that a message waits for a few at most."""
        for start in range(0, len(titles), _EMBEDDED_AT_ONCE):
            some = titles[start : start + _EMBEDDED_AT_ONCE]
            self._asked.update(zip(some, np.asarray(await self.queries.embed(some)), strict=True))


def _noted(task: "asyncio.Task[Scale]") -> None:
    """Take a failed fit as seen: whoever waited was told, and the next search begins another."""
    if not task.cancelled():
        task.exception()


def _spread(items: Sequence[T], most: int) -> list[T]:
    """Return at most so many, evenly from all of them."""
    if len(items) <= most:
        return list(items)
    return [items[at * len(items) // most] for at in range(most)]

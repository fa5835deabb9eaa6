"""An embedder, a passage index and a passage store in memory; they pass the contract suites of the real ones."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.knowledge import Passage, RetrievedPassage
from support_agents.domain.ranking import bm25_weights, fused
from support_agents.ports import ChunkedArticle, StoredState, Vector
from support_agents.screening.terms import passage_terms, terms


class HashEmbedder:
    """`Embedder` whose vectors are sums of one fixed random direction for each term: shared words make them alike."""

    def __init__(self, dimensions: int = 384) -> None:
        self._dimensions = dimensions

    @property
    def version(self) -> str:
        """Name and length."""
        return f"hash.{self._dimensions}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed at once."""
        return np.array([self._vector(text) for text in texts], dtype=np.float32).reshape(-1, self._dimensions)

    def _vector(self, text: str) -> Vector:
        total = np.sum([self._direction(term) for term in ("", *terms(text))], axis=0)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)

    def _direction(self, term: str) -> Vector:
        seed = int.from_bytes(hashlib.sha256(term.encode()).digest()[:8])
        return np.asarray(np.random.default_rng(seed).standard_normal(self._dimensions), dtype=np.float32)


class ListStore:
    """`VectorStore` that compares with every passage."""

    def __init__(self) -> None:
        self._held: defaultdict[WorkspaceId, dict[PassageId, tuple[Passage, Vector]]] = defaultdict(dict)

    @property
    def version(self) -> str:
        """Number of passages and a checksum of their ids."""
        ids = [passage_id for held in self._held.values() for passage_id in held]
        return f"list.{len(ids)}.{sum(passage_id.int for passage_id in ids) % 2**32:08x}"

    async def upsert(self, passages: Sequence[Passage], vectors: Vector) -> None:
        """Insert or replace."""
        for passage, vector in zip(passages, vectors, strict=True):
            self._held[passage.workspace][passage.id] = (passage, vector)

    async def delete(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> None:
        """Forget."""
        for passage_id in ids:
            self._held[workspace].pop(passage_id, None)

    async def search(
        self, workspace: WorkspaceId, query: str, vector: Vector, *, limit: int
    ) -> tuple[RetrievedPassage, ...]:
        """Score every passage."""
        held = self._held[workspace]
        similarity = {key: float(vector @ other) for key, (_, other) in held.items()}
        best = fused(similarity, _bm25(query, {key: passage for key, (passage, _) in held.items()}))
        return tuple(
            RetrievedPassage(passage=held[key][0], score=score, similarity=similarity[key])
            for key, score in best[:limit]
        )

    async def compare(
        self, workspace: WorkspaceId, vector: Vector, ids: Sequence[PassageId]
    ) -> Mapping[PassageId, float]:
        """Multiply."""
        held = self._held[workspace]
        return {passage_id: float(vector @ held[passage_id][1]) for passage_id in ids if passage_id in held}

    async def ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """List what is held."""
        return frozenset(self._held[workspace])

    async def begin(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Go on with what is held."""
        return await self.ids(workspace)

    async def publish(self, workspace: WorkspaceId) -> None:
        """Do nothing: what is held is searched at once."""


class MemoryPassageStore:
    """`PassageStore` in dictionaries; `changes` counts the writing calls, each of which would add one event."""

    def __init__(self) -> None:
        self._articles: defaultdict[WorkspaceId, dict[str, ChunkedArticle]] = defaultdict(dict)
        self.changes = 0

    async def article_hashes(self, workspace: WorkspaceId) -> Mapping[str, str]:
        """Content hash by article id."""
        return {key: chunked.article.content_hash for key, chunked in self._articles[workspace].items()}

    async def replace_articles(self, workspace: WorkspaceId, articles: Sequence[ChunkedArticle]) -> None:
        """Insert or replace."""
        self._articles[workspace] |= {chunked.article.id: chunked for chunked in articles}
        self.changes += 1

    async def delete_articles(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> None:
        """Forget."""
        for article_id in article_ids:
            self._articles[workspace].pop(article_id, None)
        self.changes += 1

    async def passage_ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Ids of all passages."""
        return frozenset(passage.id for passage in self._all(workspace))

    async def state(self, workspace: WorkspaceId) -> StoredState:
        """Name the state by the number of writing calls."""
        return StoredState(len(self._all(workspace)), str(self.changes))

    async def passages(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> tuple[Passage, ...]:
        """Those of `ids` that exist."""
        wanted = set(ids)
        return tuple(passage for passage in self._all(workspace) if passage.id in wanted)

    async def passages_of(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> tuple[Passage, ...]:
        """Those of the articles that exist."""
        wanted = set(article_ids)
        return tuple(passage for passage in self._all(workspace) if passage.article_id in wanted)

    def _all(self, workspace: WorkspaceId) -> list[Passage]:
        return [passage for chunked in self._articles[workspace].values() for passage in chunked.passages]


def _bm25(query: str, held: Mapping[PassageId, Passage]) -> dict[PassageId, float]:
    weights = {key: bm25_weights(passage_terms(passage)) for key, passage in held.items()}
    found_in = Counter(term for by_term in weights.values() for term in by_term)
    scores: dict[PassageId, float] = {}
    for term in set(terms(query)):
        rarity = math.log(1 + (len(held) - found_in[term] + 0.5) / (found_in[term] + 0.5))
        for key, by_term in weights.items():
            if term in by_term:
                scores[key] = scores.get(key, 0.0) + by_term[term] * rarity
    return scores

"""Hybrid passage search on a Qdrant server, a collection a workspace; it shows no collection that is half built."""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import httpx
from qdrant_client import AsyncQdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException
from qdrant_client.models import (
    CreateAlias,
    CreateAliasOperation,
    DeleteAlias,
    DeleteAliasOperation,
    Distance,
    Filter,
    HasIdCondition,
    Modifier,
    PointIdsList,
    PointStruct,
    QueryRequest,
    ScoredPoint,
    SparseVector,
    SparseVectorParams,
    VectorParams,
)

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.knowledge import Passage, RetrievedPassage
from support_agents.domain.ranking import bm25_weights, by_index, fused
from support_agents.ports import Vector
from support_agents.screening.terms import passage_terms, terms

# Part of a collection's name: raise it when what is stored, or how passages become vectors, changes.
FORMAT = 1
CANDIDATES = 50
_DENSE, _WORDS, _PASSAGE = "dense", "words", "passage"
_PAGE = 1_000
_SEARCH_SECONDS, _WRITE_SECONDS = 2, 30
_GENERATION = re.compile(r"\.(\d{1,9})$")
# What the client and the transport below it raise; anything else is a fault of ours.
_UNREACHABLE = (ApiException, QdrantException, httpx.HTTPError, OSError, TimeoutError)

T = TypeVar("T")


def client_of(url: str, api_key: str | None) -> AsyncQdrantClient:
    """Return a client of a server; nothing is asked of it yet."""
    # As a header of ours: the client warns of a key without TLS, which is how servers on a private network are asked.
    headers = {"api-key": api_key} if api_key else {}
    return AsyncQdrantClient(url=url, headers=headers, timeout=_WRITE_SECONDS, check_compatibility=False)


@dataclass
class _Held:
    """What this process knows of a workspace: the ids that searches see, and the collection being built beside."""

    ids: frozenset[PassageId] = frozenset()
    building: str | None = None


@dataclass
class QdrantServerStore:
    """`VectorStore` on collections `support-agents.<workspace>.<identity>.<generation>`.

    `identity` stands for embedder and format, so that two versions of the product never read each other's vectors.
    The alias without the generation is what searches see; `begin` builds the next generation beside it, and `publish`
    switches the alias in one request and drops what it replaced. Other identities' collections are left alone: a
    server that still runs the earlier version may be serving from them.
    """

    client: AsyncQdrantClient
    embedder_version: str
    dimensions: int
    _held: dict[WorkspaceId, _Held] = field(default_factory=dict, init=False, repr=False)

    @property
    def version(self) -> str:
        """Number of passages as this process last knew them, and a checksum of their ids."""
        ids = [passage_id for held in self._held.values() for passage_id in held.ids]
        checksum = 0
        for passage_id in ids:
            checksum ^= passage_id.int
        return f"qdrant-server.{self._identity}.{len(ids)}.{checksum >> 96:08x}"

    async def upsert(self, passages: Sequence[Passage], vectors: Vector) -> None:
        """Insert or replace, in what is being built or else in what is searched."""
        by_workspace: dict[WorkspaceId, list[PointStruct]] = {}
        for passage, vector in zip(passages, vectors, strict=True):
            by_workspace.setdefault(passage.workspace, []).append(_point(passage, vector))
        for workspace, points in by_workspace.items():
            name = await self._written(workspace)
            await _asked(self.client.upsert(name, points, wait=True))
            added = {PassageId(UUID(str(point.id))) for point in points}
            self._changed(workspace, name, self._of(workspace).ids | added)

    async def delete(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> None:
        """Forget what of `ids` belongs to `workspace`."""
        held = self._of(workspace)
        if not ids or (held.building is None and await self._shown(workspace) is None):
            return
        name = await self._written(workspace)
        selector = PointIdsList(points=[str(passage_id) for passage_id in ids])
        await _asked(self.client.delete(name, selector, wait=True))
        self._changed(workspace, name, held.ids - {*ids})

    async def search(
        self, workspace: WorkspaceId, query: str, vector: Vector, *, limit: int
    ) -> tuple[RetrievedPassage, ...]:
        """Fuse the nearest by cosine and the best by BM25; every result carries its cosine."""
        if not self._of(workspace).ids and not await self.ids(workspace):
            return ()
        found = await self._candidates(workspace, query, vector)
        nearest, lexical = _scores(found[0]), _scores(found[1]) if len(found) > 1 else {}
        if unseen := {*lexical} - {*nearest}:
            nearest |= await self._cosines(workspace, vector, sorted(unseen))
        passages = {str(point.id): (point.payload or {})[_PASSAGE] for points in found for point in points}
        return tuple(
            RetrievedPassage(
                passage=Passage.model_validate_json(passages[key]),
                score=score,
                similarity=max(-1.0, min(1.0, nearest[key])),
            )
            for key, score in fused(nearest, lexical)[:limit]
        )

    async def compare(
        self, workspace: WorkspaceId, vector: Vector, ids: Sequence[PassageId]
    ) -> Mapping[PassageId, float]:
        """Return cosines; what is not indexed is left out."""
        known = [str(passage_id) for passage_id in ids if passage_id in self._of(workspace).ids]
        found = await self._cosines(workspace, vector, known) if known else {}
        return {PassageId(UUID(key)): score for key, score in found.items()}

    async def ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Ask the server what is searched: another process may have changed it."""
        name = await self._shown(workspace)
        self._of(workspace).ids = await self._stored(name) if name else frozenset()
        return self._of(workspace).ids

    async def begin(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Write into the next generation from now on; return what an earlier attempt has left in it."""
        shown = await self._shown(workspace)
        generation = _generation(shown) + 1 if shown else 1
        name = f"{self._alias(workspace)}.{generation}"
        if not await _asked(self.client.collection_exists(name)):
            await self._create(name)
        self._of(workspace).building = name
        return await self._stored(name)

    async def publish(self, workspace: WorkspaceId) -> None:
        """Have searches see what was built, and drop what they saw before."""
        built, alias = self._of(workspace).building, self._alias(workspace)
        if built is None:
            return
        before = await self._shown(workspace)
        if before is None or _generation(before) < _generation(built):
            dropped = [DeleteAliasOperation(delete_alias=DeleteAlias(alias_name=alias))] if before else []
            switched = CreateAliasOperation(create_alias=CreateAlias(collection_name=built, alias_name=alias))
            await _asked(self.client.update_collection_aliases([*dropped, switched]))
            if before:
                await _asked(self.client.delete_collection(before))
        self._of(workspace).building = None
        await self.ids(workspace)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.client.close()

    @property
    def _identity(self) -> str:
        told = json.dumps({"format": FORMAT, "embedder": self.embedder_version, "dimensions": self.dimensions})
        return hashlib.sha256(told.encode()).hexdigest()[:8]

    def _alias(self, workspace: WorkspaceId) -> str:
        return f"support-agents.{workspace}.{self._identity}"

    def _of(self, workspace: WorkspaceId) -> _Held:
        return self._held.setdefault(workspace, _Held())

    def _changed(self, workspace: WorkspaceId, name: str, ids: frozenset[PassageId]) -> None:
        """Note what searches see, unless what was changed is still being built."""
        if name != self._of(workspace).building:
            self._of(workspace).ids = ids

    async def _shown(self, workspace: WorkspaceId) -> str | None:
        """Return the collection that searches see."""
        alias = self._alias(workspace)
        listed = await _asked(self.client.get_aliases())
        return next((one.collection_name for one in listed.aliases if one.alias_name == alias), None)

    async def _written(self, workspace: WorkspaceId) -> str:
        """Return the collection that takes changes: the one being built, the one shown, or else a first one."""
        held = self._of(workspace)
        name = held.building or await self._shown(workspace)
        if name is None:
            await self.begin(workspace)
            name = held.building
        assert name is not None  # noqa: S101 - `begin` has just set it
        return name

    async def _create(self, name: str) -> None:
        await _asked(
            self.client.create_collection(
                name,
                vectors_config={_DENSE: VectorParams(size=self.dimensions, distance=Distance.COSINE)},
                sparse_vectors_config={_WORDS: SparseVectorParams(modifier=Modifier.IDF)},
            )
        )

    async def _candidates(self, workspace: WorkspaceId, query: str, vector: Vector) -> list[list[ScoredPoint]]:
        """Ask for both rankings in one request; the second is missing where the query has no words."""
        words = _sparse(dict.fromkeys(terms(query), 1.0))
        requests = [QueryRequest(query=vector.tolist(), using=_DENSE, limit=CANDIDATES, with_payload=True)]
        if words.indices:
            requests.append(QueryRequest(query=words, using=_WORDS, limit=CANDIDATES, with_payload=True))
        asked = self.client.query_batch_points(self._alias(workspace), requests, timeout=_SEARCH_SECONDS)
        return [response.points for response in await _asked(asked)]

    async def _cosines(self, workspace: WorkspaceId, vector: Vector, among: Sequence[str]) -> dict[str, float]:
        found = await _asked(
            self.client.query_points(
                self._alias(workspace),
                query=vector.tolist(),
                using=_DENSE,
                limit=len(among),
                query_filter=Filter(must=[HasIdCondition(has_id=[*among])]),
                timeout=_SEARCH_SECONDS,
            )
        )
        return _scores(found.points)

    async def _stored(self, name: str) -> frozenset[PassageId]:
        held: set[PassageId] = set()
        after = None
        while True:
            scrolled = self.client.scroll(name, limit=_PAGE, offset=after, with_payload=False, with_vectors=False)
            records, after = await _asked(scrolled)
            held |= {PassageId(UUID(str(record.id))) for record in records}
            if after is None:
                return frozenset(held)


async def _asked(answer: Awaitable[T]) -> T:
    """Await the server; what goes wrong there is an error that may be tried again, and says where to look."""
    try:
        return await answer
    except asyncio.CancelledError:
        raise
    except _UNREACHABLE as error:
        message = f"the Qdrant server did not answer ({type(error).__name__}); see SUPPORT_QDRANT_URL and the server"
        raise SupportError("index_unreachable", message, retryable=True) from error


def _scores(points: Sequence[ScoredPoint]) -> dict[str, float]:
    return {str(point.id): point.score for point in points}


def _generation(name: str) -> int:
    found = _GENERATION.search(name)
    return int(found[1]) if found else 0


def _point(passage: Passage, vector: Vector) -> PointStruct:
    return PointStruct(
        id=str(passage.id),
        vector={_DENSE: vector.tolist(), _WORDS: _sparse(bm25_weights(passage_terms(passage)))},
        payload={_PASSAGE: passage.model_dump_json()},
    )


def _sparse(weights: Mapping[str, float]) -> SparseVector:
    indexed = by_index(weights)
    return SparseVector(indices=list(indexed), values=list(indexed.values()))

"""Hybrid passage search on Qdrant Edge, in one process per folder; it holds nothing that SQL could not make anew."""

import asyncio
import fcntl
import importlib.metadata
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast
from uuid import UUID

from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    HasIdCondition,
    IdfParams,
    MatchValue,
    Modifier,
    PayloadSchemaType,
    Point,
    Query,
    QueryRequest,
    ScoredPoint,
    ScrollRequest,
    SearchParams,
    SparseVector,
    UpdateOperation,
)

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.knowledge import Passage, RetrievedPassage
from support_agents.domain.ranking import bm25_weights, by_index, fused
from support_agents.ports import Vector
from support_agents.screening.terms import passage_terms, terms

# Part of a folder's identity: raise it when what is stored, or how passages become vectors, changes.
FORMAT = 2
CANDIDATES = 50
_READ_MOST = 1_024  # passages kept as they were read, some 2 kB each
_DENSE, _WORDS = "dense", "words"
_WORKSPACE, _PASSAGE = "workspace", "passage"
_PAGE = 10_000

T = TypeVar("T")


class QdrantEdgeStore:
    """`VectorStore` on a folder; `needs_rebuild` says that it started empty and wants all passages again."""

    def __init__(self, folder: Path, *, embedder_version: str, dimensions: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder)
        self._shard, fresh = _opened(folder, _identity(embedder_version, dimensions), dimensions)
        self._ids = _stored_ids(self._shard)  # changed on the event loop only
        self._label = f"qdrant-edge-{importlib.metadata.version('qdrant-edge-py')}"
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="passages-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="passages-write")
        self._read: dict[UUID, Passage] = {}  # an id changes with its passage's words
        self._closed = False
        self._version: str | None = None
        self.needs_rebuild = fresh or not any(self._ids.values())

    @property
    def version(self) -> str:
        """Engine, number of passages and a checksum of their ids, which change with their content."""
        if self._version is None:  # asked for with every message, and 10,000 ids take milliseconds
            ids = [passage_id for held in self._ids.values() for passage_id in held]
            checksum = 0
            for passage_id in ids:
                checksum ^= passage_id.int
            self._version = f"{self._label}.{len(ids)}.{checksum >> 96:08x}"
        return self._version

    async def upsert(self, passages: Sequence[Passage], vectors: Vector) -> None:
        """Insert or replace in one operation of the engine."""
        if passages:
            await self._on(self._writer, lambda: self._upsert(passages, vectors))
            for passage in passages:
                self._ids[passage.workspace].add(passage.id)
                self._read.pop(passage.id, None)
            self._version = None

    async def delete(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> None:
        """Forget what of `ids` belongs to `workspace`."""
        known = [passage_id for passage_id in ids if passage_id in self._ids[workspace]]
        if known:
            operation = UpdateOperation.delete_points([*known])
            await self._on(self._writer, lambda: self._shard.update(operation))
            self._ids[workspace].difference_update(known)
            for passage_id in known:
                self._read.pop(passage_id, None)
            self._version = None

    async def search(
        self, workspace: WorkspaceId, query: str, vector: Vector, *, limit: int
    ) -> tuple[RetrievedPassage, ...]:
        """Fuse the nearest by cosine and the best by BM25; every result carries its cosine."""
        return await self._on(self._reader, lambda: self._search(workspace, query, vector, limit))

    async def compare(
        self, workspace: WorkspaceId, vector: Vector, ids: Sequence[PassageId]
    ) -> Mapping[PassageId, float]:
        """Return cosines; what is not indexed is left out."""
        known = [passage_id for passage_id in ids if passage_id in self._ids[workspace]]
        return await self._on(self._reader, lambda: self._compare(vector, known))

    async def ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """List what is indexed."""
        return frozenset(self._ids[workspace])

    async def begin(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Go on with the one version that the folder holds."""
        return await self.ids(workspace)

    async def publish(self, workspace: WorkspaceId) -> None:
        """Do nothing: what is written is searched at once."""

    def close(self) -> None:
        """Write everything out and free the folder; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._writer.shutdown()
        self._reader.shutdown()
        self._shard.flush()
        self._shard.close()
        os.close(self._lock)

    async def _on(self, threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        if self._closed:
            raise SupportError("index_closed", "the passage index has been closed")
        return await asyncio.get_running_loop().run_in_executor(threads, call)

    def _upsert(self, passages: Sequence[Passage], vectors: Vector) -> None:
        points = [_point(passage, vector) for passage, vector in zip(passages, vectors, strict=True)]
        self._shard.update(UpdateOperation.upsert_points(points))

    def _search(self, workspace: WorkspaceId, query: str, vector: Vector, limit: int) -> tuple[RetrievedPassage, ...]:
        ours = Filter(must=[FieldCondition(key=_WORKSPACE, match=MatchValue(value=str(workspace)))])
        dense = Query.Nearest(vector.tolist(), using=_DENSE)
        nearest = _scores(self._shard, QueryRequest(CANDIDATES, query=dense, filter=ours))
        lexical = self._lexical(query, ours)
        if unseen := {*lexical} - {*nearest}:
            among = Filter(must=[HasIdCondition({*unseen})])
            nearest |= _scores(self._shard, QueryRequest(len(unseen), query=dense, filter=among))
        best = fused(nearest, lexical)[:limit]
        found = self._passages([passage_id for passage_id, _ in best])
        return tuple(
            RetrievedPassage(passage=found[key], score=score, similarity=max(-1.0, min(1.0, nearest[key])))
            for key, score in best
            if key in found
        )

    def _compare(self, vector: Vector, known: Sequence[PassageId]) -> Mapping[PassageId, float]:
        if not known:
            return {}
        among = Filter(must=[HasIdCondition({*known})])
        request = QueryRequest(len(known), query=Query.Nearest(vector.tolist(), using=_DENSE), filter=among)
        return {PassageId(key): score for key, score in _scores(self._shard, request).items()}

    def _lexical(self, query: str, ours: Filter) -> Mapping[UUID, float]:
        words = _sparse(dict.fromkeys(terms(query), 1.0))
        if not words.indices:
            return {}
        request = QueryRequest(
            CANDIDATES,
            query=Query.Nearest(words, using=_WORDS),
            filter=ours,
            params=SearchParams(idf=IdfParams(corpus=ours)),
        )
        return _scores(self._shard, request)

    def _passages(self, ids: Sequence[UUID]) -> Mapping[UUID, Passage]:
        """Read passages; those that came lately are not read again, for that took as long as the search itself."""
        known = {passage_id: held for passage_id in ids if (held := self._read.get(passage_id)) is not None}
        if unread := [passage_id for passage_id in ids if passage_id not in known]:
            read = {
                cast("UUID", record.id): Passage.model_validate_json(record.payload[_PASSAGE])
                for record in self._shard.retrieve([*unread], with_payload=[_PASSAGE], with_vector=False)
                if record.payload
            }
            known |= read
            if len(self._read) + len(read) > _READ_MOST:
                self._read.clear()
            self._read.update(read)
        return known


def _scores(shard: EdgeShard, request: QueryRequest) -> dict[UUID, float]:
    points: list[ScoredPoint] = shard.query(request)
    return {cast("UUID", point.id): point.score for point in points}


def _point(passage: Passage, vector: Vector) -> Point:
    return Point(
        id=passage.id,
        vector={_DENSE: vector.tolist(), _WORDS: _sparse(bm25_weights(passage_terms(passage)))},
        payload={_WORKSPACE: str(passage.workspace), _PASSAGE: passage.model_dump_json()},
    )


def _sparse(weights: Mapping[str, float]) -> SparseVector:
    indexed = by_index(weights)
    return SparseVector(indices=list(indexed), values=list(indexed.values()))


def _identity(embedder_version: str, dimensions: int) -> str:
    """Return what a folder must have been written with to be of use."""
    return json.dumps({"format": FORMAT, "embedder": embedder_version, "dimensions": dimensions}, sort_keys=True)


def _locked(folder: Path) -> int:
    """Take the folder for this process; the kernel frees it however the process ends."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        message = f"another process has the passage index in {folder} open; ask that server, or stop it first"
        raise SupportError("index_in_use", message, retryable=True) from None
    return lock


def _opened(folder: Path, identity: str, dimensions: int) -> tuple[EdgeShard, bool]:
    """Open the shard if it is whole and of this identity; otherwise start an empty one. The flag says which."""
    shard, mark = folder / "shard", folder / "identity.json"
    if mark.is_file() and mark.read_text(encoding="utf-8") == identity:
        loaded = _loaded(shard)
        if loaded is not None:
            return loaded, False
    mark.unlink(missing_ok=True)
    shutil.rmtree(shard, ignore_errors=True)
    config = EdgeConfig(
        vectors={_DENSE: EdgeVectorParams(size=dimensions, distance=Distance.Cosine)},
        sparse_vectors={_WORDS: EdgeSparseVectorParams(modifier=Modifier.Idf)},
        max_search_threads=1,
    )
    created = EdgeShard.create(str(shard), config)
    created.update(UpdateOperation.create_field_index(_WORKSPACE, PayloadSchemaType.Keyword))
    created.flush()
    mark.write_text(identity, encoding="utf-8")
    return created, True


def _loaded(shard: Path) -> EdgeShard | None:
    """Load the shard, or None if its files are damaged: the engine then raises anything up to a Rust panic."""
    try:
        loaded = EdgeShard.load(str(shard))
        _stored_ids(loaded)
    except Exception:  # noqa: BLE001 - the engine has no error types of its own; the index is made anew from SQL
        return None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # cannot be imported
            raise
        return None
    return loaded


def _stored_ids(shard: EdgeShard) -> defaultdict[WorkspaceId, set[PassageId]]:
    held: defaultdict[WorkspaceId, set[PassageId]] = defaultdict(set)
    after = None
    while True:
        records, after = shard.scroll(ScrollRequest(offset=after, limit=_PAGE, with_payload=[_WORKSPACE]))
        for record in records:
            workspace = WorkspaceId(UUID((record.payload or {})[_WORKSPACE]))
            held[workspace].add(PassageId(cast("UUID", record.id)))
        if after is None:
            return held

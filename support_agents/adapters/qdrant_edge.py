"""Hybrid passage search on Qdrant Edge, in one process per folder; it holds nothing that SQL could not make anew."""

import asyncio
import fcntl
import importlib.metadata
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

import numpy as np
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
    Record,
    ScoredPoint,
    ScrollRequest,
    SearchParams,
    SparseVector,
    UpdateOperation,
)

from support_agents.adapters.held_index import HELD_MOST, HeldIndex
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

    def __init__(self, folder: Path, *, embedder_version: str, dimensions: int, hold: int = HELD_MOST) -> None:
        """`hold` is how many passages an index may have to be searched in memory; the engine keeps them all."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder)
        self._shard, fresh = _opened(folder, _identity(embedder_version, dimensions), dimensions)
        self._ids = _stored_ids(self._shard)  # changed on the event loop only
        self._held = _held(self._shard, sum(map(len, self._ids.values())), hold)  # so is this
        self._label = f"qdrant-edge-{importlib.metadata.version('qdrant-edge-py')}"
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="passages-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="passages-write")
        self._read: dict[int, Passage] = {}  # by the number of the id, which changes with the passage's words
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
            words = await self._on(self._writer, lambda: self._upsert(passages, vectors))
            for passage, vector, weights in zip(passages, vectors, words, strict=True):
                self._ids[passage.workspace].add(passage.id)
                self._held.put(passage.workspace, passage.id, vector, weights)
                self._read.pop(passage.id.int, None)
            self._version = None

    async def delete(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> None:
        """Forget what of `ids` belongs to `workspace`."""
        known = [passage_id for passage_id in ids if passage_id in self._ids[workspace]]
        if known:
            operation = UpdateOperation.delete_points([*known])
            await self._on(self._writer, lambda: self._shard.update(operation))
            self._ids[workspace].difference_update(known)
            self._held.drop(workspace, known)
            for passage_id in known:
                self._read.pop(passage_id.int, None)
            self._version = None

    async def search(
        self, workspace: WorkspaceId, query: str, vector: Vector, *, limit: int
    ) -> tuple[RetrievedPassage, ...]:
        """Fuse the nearest by cosine and the best by BM25; every result carries its cosine."""
        if not self._held.holds:
            return await self._on(self._reader, lambda: self._search(workspace, query, vector, limit))
        self._refuse_if_closed()
        nearest, lexical = self._held.search(workspace, vector, _words_of(query), CANDIDATES)
        best = fused(nearest, lexical)[:limit]
        found: Mapping[int, Passage] = self._at_hand(number for number, _ in best)
        if len(found) < len(best):
            found = await self._on(self._reader, lambda: self._passages([number for number, _ in best]))
        return _retrieved(best, nearest, found)

    async def compare(
        self, workspace: WorkspaceId, vector: Vector, ids: Sequence[PassageId]
    ) -> Mapping[PassageId, float]:
        """Return cosines; what is not indexed is left out."""
        by_number = {passage_id.int: passage_id for passage_id in ids}
        scores = self._held.cosines(workspace, vector, by_number)
        if scores is None:
            known = {passage_id for passage_id in ids if passage_id in self._ids[workspace]}
            scores = await self._on(self._reader, lambda: self._compare(vector, known))
        return {by_number[number]: score for number, score in scores.items()}

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
        self._refuse_if_closed()
        return await asyncio.get_running_loop().run_in_executor(threads, call)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise SupportError("index_closed", "the passage index has been closed")

    def _upsert(self, passages: Sequence[Passage], vectors: Vector) -> Sequence[Mapping[int, float]]:
        """Write them, and return the weights of each one's words."""
        words = [by_index(bm25_weights(passage_terms(passage))) for passage in passages]
        points = [_point(*each) for each in zip(passages, vectors, words, strict=True)]
        self._shard.update(UpdateOperation.upsert_points(points))
        return words

    def _search(self, workspace: WorkspaceId, query: str, vector: Vector, limit: int) -> tuple[RetrievedPassage, ...]:
        ours = Filter(must=[FieldCondition(key=_WORKSPACE, match=MatchValue(value=str(workspace)))])
        dense = Query.Nearest(vector.tolist(), using=_DENSE)
        nearest = _scores(self._shard, QueryRequest(CANDIDATES, query=dense, filter=ours))
        lexical = self._lexical(query, ours)
        nearest |= self._compare(vector, {PassageId(UUID(int=number)) for number in lexical.keys() - nearest.keys()})
        best = fused(nearest, lexical)[:limit]
        return _retrieved(best, nearest, self._passages([number for number, _ in best]))

    def _compare(self, vector: Vector, known: set[PassageId]) -> Mapping[int, float]:
        if not known:
            return {}
        among = Filter(must=[HasIdCondition({*known})])
        return _scores(
            self._shard, QueryRequest(len(known), query=Query.Nearest(vector.tolist(), using=_DENSE), filter=among)
        )

    def _lexical(self, query: str, ours: Filter) -> dict[int, float]:
        words = _words_of(query)
        if not words:
            return {}
        request = QueryRequest(
            CANDIDATES,
            query=Query.Nearest(_sparse(words), using=_WORDS),
            filter=ours,
            params=SearchParams(idf=IdfParams(corpus=ours)),
        )
        return _scores(self._shard, request)

    def _at_hand(self, numbers: Iterable[int]) -> dict[int, Passage]:
        return {number: held for number in numbers if (held := self._read.get(number)) is not None}

    def _passages(self, numbers: Sequence[int]) -> Mapping[int, Passage]:
        """Read passages; those that came lately are not read again, for that took as long as the search itself."""
        known = self._at_hand(numbers)
        if unread := [UUID(int=number) for number in numbers if number not in known]:
            read = {
                cast("UUID", record.id).int: Passage.model_validate_json(record.payload[_PASSAGE])
                for record in self._shard.retrieve([*unread], with_payload=[_PASSAGE], with_vector=False)
                if record.payload
            }
            known |= read
            if len(self._read) + len(read) > _READ_MOST:
                self._read.clear()
            self._read.update(read)
        return known


def _scores(shard: EdgeShard, request: QueryRequest) -> dict[int, float]:
    """By the numbers of the ids: whatever looks ids up hashes them, which these do in Python."""
    points: list[ScoredPoint] = shard.query(request)
    return {cast("UUID", point.id).int: point.score for point in points}


def _retrieved(
    best: Iterable[tuple[int, float]], nearest: Mapping[int, float], found: Mapping[int, Passage]
) -> tuple[RetrievedPassage, ...]:
    """What was found, without those that were deleted before they could be read."""
    return tuple(
        RetrievedPassage(passage=found[number], score=score, similarity=max(-1.0, min(1.0, nearest[number])))
        for number, score in best
        if number in found
    )


def _words_of(query: str) -> Mapping[int, float]:
    return by_index(dict.fromkeys(terms(query), 1.0))


def _point(passage: Passage, vector: Vector, words: Mapping[int, float]) -> Point:
    return Point(
        id=passage.id,
        vector={_DENSE: vector.tolist(), _WORDS: _sparse(words)},
        payload={_WORKSPACE: str(passage.workspace), _PASSAGE: passage.model_dump_json()},
    )


def _sparse(words: Mapping[int, float]) -> SparseVector:
    return SparseVector(indices=list(words), values=list(words.values()))


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
            held[_workspace_of(record)].add(PassageId(cast("UUID", record.id)))
        if after is None:
            return held


def _held(shard: EdgeShard, passages: int, room: int) -> HeldIndex:
    """Read the vectors and words of an index that has so many passages, unless there is no room for them."""
    held = HeldIndex(passages, room=room)
    if held.holds and passages:
        request = ScrollRequest(limit=passages, with_payload=[_WORKSPACE], with_vector=[_DENSE, _WORDS])
        records, _ = shard.scroll(request)
        for record in records:
            stored = cast("dict[str, Any]", record.vector)
            vector, words = np.asarray(stored[_DENSE], dtype=np.float32), stored.get(_WORDS)
            weights = {} if words is None else dict(zip(words.indices, words.values, strict=True))
            held.put(_workspace_of(record), PassageId(cast("UUID", record.id)), vector, weights)
    return held


def _workspace_of(record: Record) -> WorkspaceId:
    return WorkspaceId(UUID((record.payload or {})[_WORKSPACE]))

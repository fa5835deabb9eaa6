"""One message of forty tokens through screening, intent and retrieval at 10,000 passages: milliseconds, embeddings."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from support_agents.adapters.clock import SystemClock
from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.adapters.qdrant_edge import QdrantEdgeStore
from support_agents.agents.intent import IntentAgent, IntentGiven
from support_agents.agents.retrieval import RetrievalAgent, RetrievalGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.intents.model import IntentHead
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.ports import Embedder, Vector
from support_agents.screening.screening import screen
from support_agents.testing.knowledge import MemoryPassageStore
from tests.benchmarks.articles import chunked
from tests.benchmarks.figures import Report, Shown, spread, table
from tests.benchmarks.index import PASSAGES

MESSAGES, WARM_UP = 300, 20
P50_MS, P99_MS = 25.0, 60.0
_PRODUCTS = ("Oak Reading Lamp", "Brass Floor Light", "Slate Desk Lantern", "Pearl Wall Lamp", "Cedar Garden Light")
_LINE = (
    "How can I order the missing spare part for the {name} {edition} that arrived from your shop last week with one "
    "of its small parts not in the box at all?"
)


class Counted:
    """The embedder, counting the texts it is asked for."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.version = embedder.version
        self.dimensions = embedder.dimensions
        self.texts = 0

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Count and embed."""
        self.texts += len(texts)
        return await self._embedder.embed(texts)


def measure() -> Report:
    """Index vectors of chance – search costs the same – and take the messages one after another."""
    with TemporaryDirectory() as folder:
        stages, most = asyncio.run(_measured(Path(folder)))
    whole = spread(stages["whole"])
    rows = [(name, *spread(values).values()) for name, values in stages.items()]
    shown = (
        Shown(f"p50 {whole['p50']} ms, at most {P50_MS:.0f}", whole["p50"] <= P50_MS),
        Shown(f"p99 {whole['p99']} ms, at most {P99_MS:.0f}", whole["p99"] <= P99_MS),
        Shown(f"{most} embedded text a message, at most 1", most <= 1),
    )
    tables = (table(f"one message at {PASSAGES:,} passages, ms", ("stage", "p50", "p95", "p99", "max"), rows),)
    figures = {"ms": {name: spread(values) for name, values in stages.items()}, "embeddings": most}
    return Report("understanding", tables, figures, shown)


async def _measured(folder: Path) -> tuple[dict[str, list[float]], int]:
    embedder = OnnxEmbedder()
    index = QdrantEdgeStore(folder, embedder_version=embedder.version, dimensions=embedder.dimensions)
    store, articles = MemoryPassageStore(), chunked(PASSAGES)
    await store.replace_articles(DEFAULT_WORKSPACE, articles)
    random = np.random.default_rng(1)
    held = [passage for article in articles for passage in article.passages]
    for start in range(0, len(held), 500):
        batch = held[start : start + 500]
        await index.upsert(batch, _unit(random, len(batch), embedder.dimensions))
    topics = TopicShelf(store, index, TitleVectors(_Chance(embedder, random)))
    await topics.current(DEFAULT_WORKSPACE)
    counted = Counted(embedder)
    intent = IntentAgent(IntentHead.load(embedder_version=embedder.version), SystemClock(), embedder=counted)
    retrieval = RetrievalAgent(index, counted, -1.0, topics=topics)
    stages: dict[str, list[float]] = {}
    most = 0
    for at in range(WARM_UP + MESSAGES):
        before, used = counted.texts, time.process_time()
        took = await _one(_LINE.format(name=_PRODUCTS[at % 5], edition=at), counted, intent, retrieval)
        if at >= WARM_UP:
            most = max(most, counted.texts - before)
            took["processor time of the whole"] = time.process_time() - used
            for name, seconds in took.items():
                stages.setdefault(name, []).append(seconds * 1_000)
    index.close()
    embedder.close()
    return stages, most


async def _one(text: str, embedder: Counted, intent: IntentAgent, retrieval: RetrievalAgent) -> dict[str, float]:
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(time.monotonic() + 2), Budget())
    began = time.perf_counter()
    screened = screen(text, "")
    seen = time.perf_counter()
    vector = (await embedder.embed([screened.clean_text]))[0]
    embedded = time.perf_counter()
    understood = await intent.work(
        IntentGiven(text=screened.clean_text, language=screened.language, vector=vector, subject="", previous=()), run
    )
    known = time.perf_counter()
    given = RetrievalGiven(
        workspace=DEFAULT_WORKSPACE,
        query=screened.clean_text,
        vector=vector,
        language=screened.language,
        asks=understood.settled_asks,
    )
    await retrieval.work(given, run)
    ended = time.perf_counter()
    return {
        "screening": seen - began,
        "embedding": embedded - seen,
        "intent": known - embedded,
        "retrieval": ended - known,
        "whole": ended - began,
    }


class _Chance:
    """`Embedder` of unit vectors by chance."""

    def __init__(self, embedder: Embedder, random: np.random.Generator) -> None:
        self.version, self.dimensions, self._random = embedder.version, embedder.dimensions, random

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Draw."""
        return _unit(self._random, len(texts), self.dimensions)


def _unit(random: np.random.Generator, rows: int, dimensions: int) -> Vector:
    drawn = random.standard_normal((rows, dimensions)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)

"""Indexing 10,000 passages in a process of its own: seconds, passages a second, highest resident memory."""

import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.adapters.qdrant_edge import QdrantEdgeStore
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.testing.knowledge import MemoryPassageStore
from tests.benchmarks.articles import chunked
from tests.benchmarks.figures import Report, Shown, table

PASSAGES = 10_000
MOST_SECONDS, MOST_MB = 90.0, 800.0


def measure() -> Report:
    """Run it apart from this process, so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.index"], check=True, stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    rows = [(name.replace("_", " "), value) for name, value in figures.items()]
    shown = (
        Shown(
            f"{PASSAGES:,} passages in {figures['seconds']:.0f} s, at most {MOST_SECONDS:.0f}",
            figures["seconds"] <= MOST_SECONDS,
        ),
        Shown(f"{figures['highest_mb']:.0f} MB at most {MOST_MB:.0f}", figures["highest_mb"] <= MOST_MB),
    )
    return Report("index", (table("indexing", ("", "value"), rows),), figures, shown)


async def _indexed(folder: Path) -> dict[str, float]:
    embedder = OnnxEmbedder()
    index = QdrantEdgeStore(folder, embedder_version=embedder.version, dimensions=embedder.dimensions)
    store = MemoryPassageStore()
    await store.replace_articles(DEFAULT_WORKSPACE, chunked(PASSAGES))
    began, worked = time.perf_counter(), time.process_time()
    titles = TitleVectors(embedder.indexing)
    indexer = PassageIndexer(passages=store, embedder=embedder.indexing, index=index, titles=titles)
    done = await indexer.refresh(DEFAULT_WORKSPACE)
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    began = time.perf_counter()
    await TopicShelf(store, index, titles).current(DEFAULT_WORKSPACE)
    topics = time.perf_counter() - began
    index.close()
    embedder.close()
    return {
        "passages": float(done.added),
        "seconds": seconds,
        "processor_seconds": processor,
        "passages_a_second": done.added / seconds,
        "topics_seconds": topics,
        "highest_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        print(json.dumps(asyncio.run(_indexed(Path(made)))))  # noqa: T201 - what the parent reads

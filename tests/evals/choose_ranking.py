"""Try the weights of `support_agents.knowledge.topics` on development sets, through the agent; changes nothing.

`python tests/evals/choose_ranking.py DOCUMENTS QUERIES [DOCUMENTS QUERIES …]`: pairs of files as `eval retrieval` reads
them. Everything is embedded once; then each combination below is measured on every pair.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.adapters.qdrant_edge import QdrantEdgeStore
from support_agents.adapters.remembering import RememberingEmbedder
from support_agents.agents.retrieval import RetrievalAgent
from support_agents.evals.retrieval import Query, Tools, found, indexed, ndcg, read_documents, read_queries, recall
from support_agents.knowledge import corpus, topics
from support_agents.ports import Embedder

GRID: dict[tuple[ModuleType, str], tuple[float, ...]] = {
    (topics, "SHORT_TERMS"): (6, 7),
    (topics, "LONG_TERMS"): (12, 14),
    (topics, "LEXICAL_LONG"): (0.3, 0.4),
    (topics, "TITLE_TAKEN"): (0.2, 0.3, 0.375, 0.5),
    (topics, "OTHER_NAME"): (0.03, 0.06, 0.1),
    (topics, "SAME_FAMILY"): (0.05, 0.08),
    (corpus, "FEEDBACK_WEIGHT"): (0.3, 0.5),
}


@dataclass(frozen=True)
class Bench:
    """One pair of files, indexed."""

    name: str
    agent: RetrievalAgent
    queries: Sequence[Query]


async def main() -> None:
    """Index, then print nDCG@10 and recall@10 of each combination."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    files: list[Path] = parser.parse_args().files
    with TemporaryDirectory() as folder:
        real = OnnxEmbedder()
        embedder = RememberingEmbedder(real)
        pairs = zip(files[::2], files[1::2], strict=True)
        benches = [await opened(Path(folder) / str(at), embedder, *pair) for at, pair in enumerate(pairs)]
        for values in product(*GRID.values()):
            await tried(dict(zip(GRID, values, strict=True)), benches, embedder)
        real.close()


async def opened(folder: Path, embedder: Embedder, documents: Path, queries: Path) -> Bench:
    """Index one pair."""
    articles = read_documents(documents)
    index = QdrantEdgeStore(folder, embedder_version=embedder.version, dimensions=embedder.dimensions)
    agent, _ = await indexed(articles, Tools(embedder, embedder, index), lambda *_: None)
    return Bench(documents.parent.name, agent, read_queries(queries, {article.id for article in articles}))


async def tried(values: dict[tuple[ModuleType, str], float], benches: Sequence[Bench], embedder: Embedder) -> None:
    """Measure one combination."""
    for (module, name), value in values.items():
        setattr(module, name, value)
    figures = [f"{bench.name} {await measured(bench, embedder)}" for bench in benches]
    print(" ".join(f"{name}={value}" for (_, name), value in values.items()), "|", " | ".join(figures), flush=True)


async def measured(bench: Bench, embedder: Embedder) -> str:
    """Return both figures of a pair."""
    ranked = [(await found(bench.agent, embedder, query.text), query.relevant) for query in bench.queries]
    gain = sum(ndcg(one, relevant) for one, relevant in ranked) / len(ranked)
    part = sum(recall(one, relevant) for one, relevant in ranked) / len(ranked)
    return f"{gain:.4f} {part:.4f}"


if __name__ == "__main__":
    asyncio.run(main())

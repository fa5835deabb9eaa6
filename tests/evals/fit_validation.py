"""Fit `support_agents.knowledge.validation` on development sets and print what else was tried; changes nothing.

`python tests/evals/fit_validation.py DOCUMENTS QUERIES [DOCUMENTS QUERIES …]`: pairs of files as `eval retrieval` reads
them. Beside each message as it is, one whose right articles are taken away stands for what no article answers. Sets
count equally. Each row is fitted on the other sets and measured on its own; the last ones are what is shipped.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import argparse
import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import re2
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.adapters.qdrant_edge import QdrantEdgeStore
from support_agents.agents.retrieval import RetrievalAgent, RetrievalGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.runs import Run
from support_agents.evals.retrieval import Query, Tools, indexed, read_documents, read_queries
from support_agents.knowledge import validation
from support_agents.ports import Embedder
from support_agents.screening.terms import coverage, terms

MOST_LOST = 0.01
NAMES = ("similarity", "below the best", "terms", "words", "words of title and heading", "kind of answer")
TRIED = ((0,), (0, 1), (0, 2), (0, 2, 3), (0, 2, 4), (0, 2, 5), (0, 1, 2, 3, 4, 5))
SHIPPED = (0, 2)
_KINDS = (
    (
        re2.compile(r"(?i)\bhow (?:long|soon|quick|fast|often)|\bwhen\b"),
        re2.compile(r"(?i)\d+ ?(?:hour|day|week|month)"),
    ),
    (re2.compile(r"(?i)\bhow much|\bcosts?\b|\bprice|\bfee"), re2.compile(r"(?i)[€$£%]|\bfree\b")),
    (
        re2.compile(r"(?i)\bhow (?:do|can|to)\b|\bhow i\b|\bcan i\b"),
        re2.compile(r"(?i)\b(?:click|select|open|choose|go)\b"),
    ),
)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """The passages of one message, each with its features and whether its article answers."""

    dataset: int
    orphan: bool
    features: Floats
    right: NDArray[np.bool_]


async def main() -> None:
    """Index each pair, ask, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    files: list[Path] = parser.parse_args().files
    validation.THRESHOLD = 0.0  # what is to be judged must not have been judged
    embedder = OnnxEmbedder()
    found: list[Found] = []
    names = []
    for at, (documents, queries) in enumerate(zip(files[::2], files[1::2], strict=True)):
        names.append(documents.parent.name)
        found += await asked(at, documents, queries, embedder)
    embedder.close()
    for columns in TRIED:
        print(", ".join(NAMES[column] for column in columns))
        for at, name in enumerate(names):
            weights, constant = fitted([one for one in found if one.dataset != at], columns)
            bar = bars([one for one in found if one.dataset == at], columns, weights, constant)
            print("   ", name, told([one for one in found if one.dataset == at], columns, weights, constant, bar))
    weights, constant = fitted(found, SHIPPED)
    per_set = [
        bars([one for one in found if one.dataset == at], SHIPPED, weights, constant) for at in range(len(names))
    ]
    bar = min(per_set)
    print("shipped:", weights.round(2), round(constant, 2), "threshold", round(1 / (1 + math.exp(-bar)), 3))
    for at, name in enumerate(names):
        print("   ", name, told([one for one in found if one.dataset == at], SHIPPED, weights, constant, bar))


async def asked(at: int, documents: Path, queries: Path, embedder: OnnxEmbedder) -> list[Found]:
    """Return what the agent finds for each message of a pair, once with and once without the right articles."""
    articles = read_documents(documents)
    with TemporaryDirectory() as folder:
        index = QdrantEdgeStore(Path(folder), embedder_version=embedder.version, dimensions=embedder.dimensions)
        agent, _ = await indexed(articles, Tools(embedder, embedder.indexing, index), lambda *_: None)
        found = []
        for query in read_queries(queries, {article.id for article in articles}):
            passages = await evidence(agent, embedder, query)
            without = [one for one in passages if one.passage.article_id not in query.relevant]
            found += [_found(at, query, passages, orphan=False)] if passages else []
            found += [_found(at, query, without, orphan=True)] if without else []
        index.close()
    return found


async def evidence(agent: RetrievalAgent, embedder: Embedder, query: Query) -> Sequence[RetrievedPassage]:
    """Return the passages as a draft would get them."""
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(time.monotonic() + 60), Budget())
    vector = (await embedder.embed([query.text]))[0]
    given = RetrievalGiven(workspace=DEFAULT_WORKSPACE, query=query.text, vector=vector, language="en")
    return (await agent.work(given, run)).passages


def _found(at: int, query: Query, passages: Sequence[RetrievedPassage], *, orphan: bool) -> Found:
    best = max(one.score for one in passages)
    said = math.log1p(len(set(terms(query.text))))
    rows = []
    for one in passages:
        above = f"{one.passage.title} {one.passage.heading}"
        words, titled = coverage(query.text, f"{above} {one.passage.text}"), coverage(query.text, above)
        rows.append([one.similarity, best - one.score, said, words, titled, _kind(query.text, one.passage.text)])
    right = [one.passage.article_id in query.relevant for one in passages]
    return Found(at, orphan, np.array(rows, dtype=np.float64), np.array(right))


def _kind(query: str, text: str) -> float:
    """Whether the text has what a question of this kind wants (1), lacks it (-1), or nothing is known of the kind."""
    wants = next((has for asks, has in _KINDS if asks.search(query)), None)
    return 0.0 if wants is None else 1.0 if wants.search(text) else -1.0


def fitted(found: Sequence[Found], columns: tuple[int, ...]) -> tuple[Floats, float]:
    """Return weights and constant; sets, and messages with and without an answer, count equally."""
    features = np.concatenate([one.features[:, columns] for one in found])
    right = np.concatenate([one.right for one in found])
    group = np.concatenate([[2 * one.dataset + one.orphan] * len(one.right) for one in found])
    shares = np.array([1 / (group == one).sum() for one in group])
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(max_iter=2_000).fit(
        scaler.transform(features), right, sample_weight=shares * len(shares) / shares.sum()
    )
    weights = model.coef_[0] / scaler.scale_
    return weights, float(model.intercept_[0] - (weights * scaler.mean_).sum())


def bars(found: Sequence[Found], columns: tuple[int, ...], weights: Floats, constant: float) -> float:
    """Return the highest bar at which at most `MOST_LOST` of the right passages are set aside."""
    right = np.concatenate([one.features[one.right] for one in found if not one.orphan])
    return float(np.quantile(right[:, columns] @ weights + constant, MOST_LOST, method="lower"))


def told(found: Sequence[Found], columns: tuple[int, ...], weights: Floats, constant: float, bar: float) -> str:
    """Return how much of the right stays, how much of the wrong goes, and how often nothing is left where it should."""
    kept = [one.features[:, columns] @ weights + constant >= bar for one in found]
    own = [(one, keep) for one, keep in zip(found, kept, strict=True) if not one.orphan]
    right = np.concatenate([keep[one.right] for one, keep in own]).mean()
    wrong = 1 - np.concatenate([keep[~one.right] for one, keep in own]).mean()
    silent = np.mean([not keep.any() for one, keep in zip(found, kept, strict=True) if one.orphan])
    return f"right kept {right:.1%}, wrong set aside {wrong:.1%}, silent where nothing answers {silent:.1%}"


if __name__ == "__main__":
    asyncio.run(main())

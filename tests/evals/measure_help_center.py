"""Measure retrieval, and with `--cited` whole runs, on a real help centre; changes nothing.

`python tests/evals/measure_help_center.py ARTICLES.jsonl`: one object a line with `id`, `title`, `body`. Questions are
beside this file, each with the ids of the articles that answer it; `off_topic.txt` holds questions that no help centre
of this kind answers.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import yaml

from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.adapters.qdrant_edge import QdrantEdgeStore
from support_agents.agents.retrieval import RetrievalAgent, RetrievalGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.runs import Run
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.testing.knowledge import MemoryPassageStore

HERE = Path(__file__).parent
RANKS = (1, 2, 3, 5, 8)


@dataclass(frozen=True)
class Bench:
    """What is measured, opened."""

    embedder: OnnxEmbedder
    index: QdrantEdgeStore
    agent: RetrievalAgent

    async def find(self, question: str) -> tuple[tuple[RetrievedPassage, ...], float, float]:
        """Return the passages with the milliseconds of embedding and of search."""
        run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(time.monotonic() + 60), Budget())
        start = time.perf_counter()
        vector = (await self.embedder.embed([question]))[0]
        embedded = time.perf_counter()
        given = RetrievalGiven(workspace=DEFAULT_WORKSPACE, query=question, vector=vector, language="en")
        section = await self.agent.work(given, run)
        return section.passages, (embedded - start) * 1e3, (time.perf_counter() - embedded) * 1e3


async def main() -> None:
    """Index, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--questions", type=Path, default=HERE / "help_center_questions.jsonl")
    parser.add_argument("--off-topic", type=Path, default=HERE / "off_topic.txt")
    parser.add_argument(
        "--misses", action="store_true", help="print the questions whose article is not in the first two"
    )
    parser.add_argument("--cited", action="store_true", help="measure what `ask --json` cites instead")
    arguments = parser.parse_args()
    if arguments.cited:
        cite(arguments.articles, arguments.questions, misses=arguments.misses)
        return
    with TemporaryDirectory() as folder:
        embedder = OnnxEmbedder()
        index = QdrantEdgeStore(
            Path(folder) / "index", embedder_version=embedder.version, dimensions=embedder.dimensions
        )
        bench = Bench(embedder, index, RetrievalAgent(index, embedder))
        await build(bench, arguments.articles, Path(folder) / "articles")
        questions = [json.loads(line) for line in arguments.questions.read_text(encoding="utf-8").splitlines()]
        await ask(bench, questions, misses=arguments.misses)
        await refuse(bench, arguments.off_topic.read_text(encoding="utf-8").split("\n"))
        index.close()
        embedder.close()


def cite(articles: Path, questions: Path, *, misses: bool) -> None:
    """Ask through the command line as a user would, and print how often a right article is among the cited."""
    asked = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder:
        write(articles, Path(folder) / "articles")
        messages = Path(folder) / "messages.jsonl"
        messages.write_text("".join(json.dumps({"text": one["question"]}) + "\n" for one in asked), encoding="utf-8")
        command = [str(Path(sys.executable).parent / "support-agents"), "ask", "--json"]
        command += ["--kb", str(Path(folder) / "articles"), "--file", str(messages)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    right = {True: [0, 0], False: [0, 0]}
    for question, answer in zip(asked, answers, strict=True):
        cited = {citation["article"] for citation in answer["citations"]}
        hit = bool(cited & set(map(str, _listed(question["articles"]))))
        drafted = bool(answer["text"])
        right[drafted][0] += hit
        right[drafted][1] += 1
        if misses and not hit:
            print("  miss:", answer["outcome"], question["question"], "->", [c["title"] for c in answer["citations"]])
    whole = [sum(pair) for pair in zip(*right.values(), strict=True)]
    print(f"{whole[1]} questions, a right article among the cited: {whole[0]} ({whole[0] / whole[1]:.0%}); ", end="")
    print(f"where a draft is shown {right[True][0]} of {right[True][1]}, ", end="")
    print(f"where a person gets the evidence {right[False][0]} of {right[False][1]}")


def write(articles: Path, folder: Path) -> None:
    """Write the articles as Markdown files with front matter."""
    folder.mkdir()
    for line in articles.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        front = yaml.safe_dump({"id": str(row["id"]), "title": row["title"]}, allow_unicode=True)
        (folder / f"{row['id']}.md").write_text(f"---\n{front}---\n{row['body']}", encoding="utf-8")


async def build(bench: Bench, articles: Path, folder: Path) -> None:
    """Write the articles as Markdown files with front matter, sync and index them."""
    write(articles, folder)
    store = MemoryPassageStore()
    start = time.perf_counter()
    synced = await KnowledgeSync(store).sync(folder, DEFAULT_WORKSPACE)
    cut = time.perf_counter()
    indexer = PassageIndexer(passages=store, embedder=bench.embedder.indexing, index=bench.index)
    indexed = await indexer.refresh(DEFAULT_WORKSPACE)
    took = time.perf_counter() - cut
    print(
        f"{synced.added} articles, {synced.passages} passages cut in {cut - start:.1f} s; broken: {len(synced.broken)}"
    )
    print(f"indexed in {took:.1f} s, {indexed.added / took:.0f} passages a second")


async def ask(bench: Bench, questions: Sequence[dict[str, object]], *, misses: bool) -> None:
    """Print at which rank of distinct articles the first right one stands, and the times."""
    hits = dict.fromkeys(RANKS, 0)
    embedding, search, nothing = [], [], 0
    for question in questions:
        text, right = str(question["question"]), set(map(str, _listed(question["articles"])))
        passages, embedded, searched = await bench.find(text)
        articles = list(dict.fromkeys(retrieved.passage.article_id for retrieved in passages))
        for rank in RANKS:
            hits[rank] += bool(right & set(articles[:rank]))
        if misses and not right & set(articles[:2]):
            print("  miss:", text, "->", [r.passage.title for r in passages[:3]])
        nothing += not passages
        embedding.append(embedded)
        search.append(searched)
    print(f"{len(questions)} questions, a right article among the first n: ", end="")
    print(", ".join(f"@{rank} {hits[rank] / len(questions):.0%}" for rank in RANKS), f"nothing found: {nothing}")
    print(f"embedding {median(embedding):.1f} ms (p95 {_p95(embedding):.1f}), ", end="")
    print(f"search and agent {median(search):.1f} ms (p95 {_p95(search):.1f})")


async def refuse(bench: Bench, questions: Sequence[str]) -> None:
    """Print how many questions about other things find nothing, which is right."""
    asked = [question for question in questions if question.strip()]
    wrong = [question for question in asked if (await bench.find(question))[0]]
    print(f"{len(asked)} off-topic questions, nothing found for {len(asked) - len(wrong)}; others: {wrong}")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    asyncio.run(main())

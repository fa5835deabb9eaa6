"""Measures retrieval on files that others made, through the agent that serves customers; it tunes nothing."""

import math
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from pydantic import BaseModel, ConfigDict, Field

from support_agents.agents.retrieval import FLOOR, RetrievalAgent, RetrievalGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.knowledge import Article
from support_agents.domain.runs import Run
from support_agents.evals.figures import percentile_ms
from support_agents.intents.rows import read_rows
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.scaled_index import ScaledStore
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.ports import ChunkedArticle, Embedder, VectorStore
from support_agents.testing.knowledge import MemoryPassageStore

Progress = Callable[[str, int, int], None]
DEPTH = 10
# Passages asked for, so that at least `DEPTH` articles are among them: of long articles, fifty can be of eight.
_PASSAGES = 100
_SECONDS = 60
_LONGEST_LINE = 2_000_000


class RetrievalFigures(BaseModel):
    """What `eval retrieval --json` prints; documents count once, at their best passage."""

    model_config = ConfigDict(frozen=True)

    ndcg_at_10: float
    recall_at_5: float
    recall_at_10: float
    mrr: float = Field(description="mean of 1 / rank of the first relevant document, 0 beyond ten")
    nothing_found: float = Field(description="share of queries that no passage was relevant enough for")
    p50_ms: float = Field(description="one query, embedding included")
    p99_ms: float
    documents: int
    passages: int
    queries: int
    index_seconds: float


@dataclass(frozen=True)
class Query:
    """A question and the documents that answer it."""

    text: str
    relevant: frozenset[str]


@dataclass(frozen=True)
class Tools:
    """What is measured; `background` embeds passages, `index` is empty; `searching` embeds questions, if another."""

    embedder: Embedder
    background: Embedder
    index: VectorStore
    searching: Embedder | None = None


def read_documents(path: Path) -> tuple[Article, ...]:
    """Read lines of `doc_id, question, answer` or `id, title, content`; `SupportError` names file, line and field."""
    articles: dict[str, Article] = {}
    for row in read_rows(path, longest=_LONGEST_LINE):
        key = row.text("doc_id", "id")
        if key in articles:
            raise row.wrong(row.first("doc_id", "id")[0], f"is '{key}', which is already taken")
        articles[key] = Article(
            id=key,
            title=row.text("question", "title"),
            body=row.text("answer", "content", "body"),
            content_hash=key,
        )
    return tuple(articles.values())


def read_queries(path: Path, documents: Collection[str]) -> tuple[Query, ...]:
    """Read lines of `query, relevant`; a relevant id that is no document is an error."""
    queries = []
    for row in read_rows(path, longest=_LONGEST_LINE):
        relevant = row.texts("relevant")
        if unknown := [one for one in relevant if one not in documents]:
            raise row.wrong("relevant", f"names '{unknown[0]}', which is no document")
        queries.append(Query(row.text("query"), frozenset(relevant)))
    return tuple(queries)


async def measure(
    documents: Sequence[Article], queries: Sequence[Query], tools: Tools, progress: Progress
) -> RetrievalFigures:
    """Index the documents, then ask the retrieval agent each query as a message."""
    began = time.perf_counter()
    agent, passages = await indexed(documents, tools, progress)
    took = time.perf_counter() - began
    ranked: list[list[str]] = []
    seconds: list[float] = []
    for at, query in enumerate(queries):
        progress("queries", at, len(queries))
        asked = time.perf_counter()
        ranked.append(await found(agent, tools.embedder, query.text))
        seconds.append(time.perf_counter() - asked)
    progress("queries", len(queries), len(queries))
    both = list(zip(ranked, (query.relevant for query in queries), strict=True))
    return RetrievalFigures(
        ndcg_at_10=_mean(ndcg(one, relevant) for one, relevant in both),
        recall_at_5=_mean(recall(one[:5], relevant) for one, relevant in both),
        recall_at_10=_mean(recall(one, relevant) for one, relevant in both),
        mrr=_mean(reciprocal_rank(one, relevant) for one, relevant in both),
        nothing_found=_mean(not one for one in ranked),
        p50_ms=round(percentile_ms(seconds, 50), 2),
        p99_ms=round(percentile_ms(seconds, 99), 2),
        documents=len(documents),
        passages=passages,
        queries=len(queries),
        index_seconds=round(took, 1),
    )


async def indexed(documents: Sequence[Article], tools: Tools, progress: Progress) -> tuple[RetrievalAgent, int]:
    """Index as `kb sync` does and return the agent on it, ready, with the number of passages."""
    store = MemoryPassageStore()
    chunked = [ChunkedArticle(article, passages_of(article, DEFAULT_WORKSPACE)) for article in documents]
    await store.replace_articles(DEFAULT_WORKSPACE, chunked)
    titles = TitleVectors(tools.background)
    indexer = PassageIndexer(passages=store, embedder=tools.background, index=tools.index, titles=titles)
    result = await indexer.refresh(DEFAULT_WORKSPACE, lambda done, total: progress("passages", done, total))
    if tools.searching is None:
        topics = TopicShelf(store, tools.index, titles)
        agent = RetrievalAgent(tools.index, tools.embedder, FLOOR, topics=topics)
    else:
        scaled = ScaledStore(tools.index, store, tools.searching)
        topics = TopicShelf(store, scaled, titles, scaled.scale)
        agent = RetrievalAgent(scaled, tools.embedder, FLOOR, topics=topics, searching=tools.searching)
    await topics.current(DEFAULT_WORKSPACE)
    return agent, result.added


async def found(agent: RetrievalAgent, embedder: Embedder, text: str) -> list[str]:
    """Return the first documents for a message, best first, as the agent ranks their passages."""
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(time.monotonic() + _SECONDS), Budget())
    vector = (await embedder.embed([text]))[0]
    given = RetrievalGiven(workspace=DEFAULT_WORKSPACE, query=text, vector=vector, language="en", limit=_PASSAGES)
    section = await agent.work(given, run)
    return list(dict.fromkeys(retrieved.passage.article_id for retrieved in section.passages))[:DEPTH]


def ndcg(ranked: Sequence[str], relevant: frozenset[str]) -> float:
    """Return the normalised discounted cumulative gain of up to ten documents, each relevant or not."""
    gain = sum(1 / math.log2(rank + 2) for rank, one in enumerate(ranked[:DEPTH]) if one in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(DEPTH, len(relevant))))


def recall(ranked: Sequence[str], relevant: frozenset[str]) -> float:
    """Return the share of the relevant documents that are among `ranked`."""
    return len(relevant & {*ranked}) / len(relevant)


def reciprocal_rank(ranked: Sequence[str], relevant: frozenset[str]) -> float:
    """Return 1 / rank of the first relevant one, 0 if there is none."""
    return next((1 / rank for rank, one in enumerate(ranked, start=1) if one in relevant), 0.0)


def _mean(values: Iterable[float]) -> float:
    return round(mean(values), 4)

"""Measure how messages in other languages find English articles, by the embedder of the settings; changes nothing.

`SUPPORT_SEARCH_MODEL=… python tests/evals/measure_languages.py ARTICLES.jsonl`: lines of `id`, `title`, `body`. The
questions beside this file are 16 of `help_center_questions.jsonl`, in German and in Spanish; the same 16 in English and
`off_topic.txt` stand beside them.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import argparse
import asyncio
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from api import settings
from api.engines import searching
from support_agents.agents.retrieval import RetrievalAgent, RetrievalGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.evals.retrieval import indexed, read_documents
from support_agents.ports import Embedder

HERE = Path(__file__).parent
ENGLISH = 16
RANKS = (1, 2, 5)


async def found(agent: RetrievalAgent, embedder: Embedder, text: str, language: str) -> list[str]:
    """Return the articles of what a draft may rest on, best first."""
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(time.monotonic() + 600), Budget())
    vector = (await embedder.embed([text]))[0]
    given = RetrievalGiven(workspace=DEFAULT_WORKSPACE, query=text, vector=vector, language=language)
    section = await agent.work(given, run)
    return list(dict.fromkeys(one.passage.article_id for one in section.passages))


async def main() -> None:
    """Index, ask, print a line a language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=Path)
    articles = read_documents(parser.parse_args().articles)
    with TemporaryDirectory() as folder, searching(settings.load(), Path(folder)) as tools:
        agent, passages = await indexed(articles, tools, lambda *_: None)
        print(f"{len(articles)} articles, {passages} passages, {tools.background.version}")
        english = (HERE / "help_center_questions.jsonl").read_text(encoding="utf-8").splitlines()[:ENGLISH]
        others = (HERE / "help_center_questions_de_es.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [{"language": "en", **json.loads(line)} for line in english] + [json.loads(line) for line in others]
        ranked = [(row, await found(agent, tools.embedder, row["question"], row["language"])) for row in rows]
        for language in ("en", "de", "es"):
            of_it = [({*row["articles"]}, one) for row, one in ranked if row["language"] == language]
            hits = {rank: sum(bool(right & {*one[:rank]}) for right, one in of_it) for rank in (*RANKS, 100)}
            told = ", ".join(f"@{rank} {hits[rank]}" for rank in RANKS)
            print(f"{language}: of {len(of_it)} a right article {told}, at all {hits[100]}; nothing found", end=" ")
            print(sum(not one for _, one in of_it))
        lines = [line for line in (HERE / "off_topic.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
        silent = sum([not await found(agent, tools.embedder, line, "en") for line in lines])
        print(f"off topic: of {len(lines)} nothing found for {silent}")


if __name__ == "__main__":
    asyncio.run(main())

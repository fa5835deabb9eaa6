"""Measure how questions are grouped on a set that says which ask the same; changes nothing.

`python tests/evals/measure_gaps.py QUERIES.jsonl`: lines as `eval retrieval` reads them; two ask the same if the same
documents answer both. Prints, for several bars, how many pairs of a group belong together and how many such pairs meet.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import argparse
import asyncio
import json
from itertools import combinations
from pathlib import Path

from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.knowledge import gaps
from support_agents.knowledge.gaps import Question, Why

BARS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.8)


async def main() -> None:
    """Embed once, group at each bar, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("queries", type=Path)
    lines = parser.parse_args().queries.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    subject = {row["query"]: frozenset(row["relevant"]) for row in rows}
    embedder = OnnxEmbedder()
    vectors = await embedder.embed(list(subject))
    embedder.close()
    questions = [Question(text, text, "unknown", "en", Why.NOTHING_FOUND) for text in subject]
    together = sum(one == other for one, other in combinations(subject.values(), 2))
    for bar in BARS:
        gaps.ALIKE, gaps.EXAMPLES = bar, len(questions)
        found = gaps.gaps(questions, vectors, least=2)
        pairs = [pair for gap in found for pair in combinations(gap.examples, 2)]
        right = sum(subject[one] == subject[other] for one, other in pairs)
        print(f"{bar}: {len(found)} groups, {right / len(pairs):.1%} of their pairs ask the same; ", end="")
        print(f"{right / together:.1%} of such pairs meet")


if __name__ == "__main__":
    asyncio.run(main())

import json
import math
from pathlib import Path

import pytest

from support_agents.domain.errors import SupportError
from support_agents.evals.retrieval import (
    Tools,
    measure,
    ndcg,
    read_documents,
    read_queries,
    recall,
    reciprocal_rank,
)
from support_agents.testing.knowledge import HashEmbedder, ListStore


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_figures_by_hand() -> None:
    right = frozenset({"a", "b"})
    assert ndcg(["a", "b"], right) == pytest.approx(1)
    assert ndcg(["x", "a"], right) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert (recall(["a", "x"], right), reciprocal_rank(["x", "a"], right)) == (0.5, 0.5)
    assert (ndcg([], right), recall([], right), reciprocal_rank(["x"], right)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2 is not JSON"),
        ("[]", "line 2 is not a JSON object"),
        ({"title": "T", "content": "c"}, "line 2 has no field `doc_id`"),
        ({"id": "b", "content": "c"}, "line 2 has no field `question`"),
        ({"id": "b", "title": "T", "content": 3.5}, "line 2: field `content` must be a text"),
        ({"id": "a", "title": "T", "content": "c"}, "line 2: field `id` is 'a', which is already taken"),
    ],
)
def test_a_wrong_document_names_file_line_and_field(tmp_path: Path, row: object, said: str) -> None:
    path = lines(tmp_path / "d.jsonl", {"id": "a", "title": "A", "content": "text"}, row)
    with pytest.raises(SupportError) as caught:
        read_documents(path)
    assert f"{path} {said}" in caught.value.message


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"query": "q"}, "line 1 has no field `relevant`"),
        ({"query": "q", "relevant": []}, "field `relevant` must be a list"),
        ({"query": "q", "relevant": "a"}, "field `relevant` must be a list"),
        ({"query": "q", "relevant": ["z"]}, "names 'z', which is no document"),
        ({"query": " ", "relevant": ["a"]}, "field `query` must be a text"),
    ],
)
def test_a_wrong_query_names_file_line_and_field(tmp_path: Path, row: object, said: str) -> None:
    with pytest.raises(SupportError) as caught:
        read_queries(lines(tmp_path / "q.jsonl", row), {"a"})
    assert said in caught.value.message


def test_a_file_that_is_not_there_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="cannot read"):
        read_documents(tmp_path / "none")
    with pytest.raises(SupportError, match="has no lines"):
        read_documents(lines(tmp_path / "e.jsonl"))


async def test_documents_are_found_by_their_words(tmp_path: Path) -> None:
    documents = read_documents(
        lines(
            tmp_path / "d.jsonl",
            {"doc_id": "r", "question": "Returning a lamp", "answer": "Send the lamp back within thirty days."},
            {"doc_id": "s", "question": "Shipping abroad", "answer": "Parcels travel four days to Norway."},
        )
    )
    queries = read_queries(
        lines(
            tmp_path / "q.jsonl",
            {"query": "returning a lamp within thirty days", "relevant": ["r"]},
            {"query": "weather tomorrow morning", "relevant": ["s"]},
        ),
        {"r", "s"},
    )
    embedder = HashEmbedder()
    seen: list[tuple[str, int, int]] = []
    figures = await measure(documents, queries, Tools(embedder, embedder, ListStore()), lambda *one: seen.append(one))
    assert (figures.ndcg_at_10, figures.recall_at_10, figures.mrr, figures.nothing_found) == (0.5, 0.5, 0.5, 0.5)
    assert (figures.documents, figures.queries) == (2, 2)
    assert seen[-1] == ("queries", 2, 2)

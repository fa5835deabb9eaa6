"""The demo's content is what the demo promises, and its vectors fit its articles."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from api.cli.knowledge_vectors import compared
from api.demo import shop
from api.intake.payload import Payload
from support_agents.adapters.onnx import OnnxEmbedder
from support_agents.adapters.orders_csv import read_orders
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.chunking import passages_of, searchable
from support_agents.knowledge.known_vectors import KnownVectors
from support_agents.knowledge.loaders import load_folder
from support_agents.policy.loading import load_policy
from support_agents.wording.outlines import all_lines


def test_twenty_four_messages_one_of_them_twice() -> None:
    messages = shop.messages()
    assert len(messages) == 24
    assert [key for key, count in Counter(message.key for message in messages).items() if count > 1] == ["M-5002"]


def test_every_message_is_a_body_that_the_server_takes() -> None:
    now = datetime.now(UTC)
    for message in shop.messages():
        payload = Payload.model_validate_json(message.body(now))
        assert payload.occurred_at == now
        assert payload.ticket.requester.email.endswith(".example")


def test_articles_orders_and_policy_load() -> None:
    loaded = load_folder(shop.ARTICLES)
    assert loaded.broken == ()
    assert len(loaded.articles) >= 30
    assert len(read_orders(shop.ORDERS, date(2026, 11, 22))) >= 40
    assert load_policy(shop.POLICY).clauses


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    articles = load_folder(shop.ARTICLES).articles
    return [passage for article in articles for passage in passages_of(article, DEFAULT_WORKSPACE)]


async def test_the_shipped_vectors_are_the_articles_own(passages: list[Passage]) -> None:
    """On failure: `support-agents kb vectors api/demo/shop/articles --out api/demo/shop/vectors.npz`."""
    embedder = OnnxEmbedder()
    try:
        known = KnownVectors.load(shop.VECTORS, embedder)
        texts = [searchable(passage) for passage in passages]
        assert [text for text in texts if not known.knows(text)] == []
        sentences = [*compared(passages), *all_lines()]
        # A sentence that is not known is computed when it is needed: slower, never wrong.
        assert sum(known.knows(text) for text in sentences) >= 0.9 * len(sentences)
        some = texts[::40]
        assert ((await known.embed(some) * await embedder.embed(some)).sum(axis=1) > 0.999).all()
    finally:
        embedder.close()

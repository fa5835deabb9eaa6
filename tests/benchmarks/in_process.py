"""The product in the benchmark's own process, with the demo shop's content: runs without HTTP and without commits."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from api import bootstrap, logging
from api.asking import Question
from api.container import Container
from api.demo import shop
from api.heap import settle, unsettle
from api.settings import load
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.ticket import Attachment, Requester
from tests.benchmarks.messages import Sample, orders_csv


@asynccontextmanager
async def in_process(messages: int, settings: Mapping[str, object]) -> AsyncIterator[Container]:
    """Give out a container that knows articles, macros and the orders of so many messages, warmed up."""
    with TemporaryDirectory(prefix="bench-") as name:
        orders = Path(name) / "orders.csv"
        orders.write_text(orders_csv(messages), encoding="utf-8")
        usual: dict[str, object] = {
            "data_dir": Path(name) / "data",
            "orders_csv": orders,
            "policy": shop.POLICY,
            "macros": shop.MACROS,
            "known_vectors": shop.VECTORS,
            "log_level": "WARNING",
        }
        loaded = load(usual | dict(settings))
        logging.configure(loaded)
        container = bootstrap.build(loaded)
        try:
            await container.open()
            await container.knowledge.sync(shop.ARTICLES, DEFAULT_WORKSPACE)
            await container.follower.indexer.refresh(DEFAULT_WORKSPACE)
            await container.asking.rehearse(DEFAULT_WORKSPACE)
            settle()
            yield container
        finally:
            unsettle()
            await container.close()


def question_of(sample: Sample) -> Question:
    """The same message as it would come in by webhook."""
    fields = json.loads(sample.body())
    ticket, message = fields["ticket"], fields["message"]
    requester = ticket["requester"]
    return Question(
        text=message["text"],
        subject=ticket.get("subject", ""),
        requester=Requester(email=requester["email"], name=requester["name"], verified=bool(requester.get("verified"))),
        attachments=tuple(Attachment.model_validate(one) for one in message.get("attachments", ())),
    )


def models_at(address: str) -> dict[str, object]:
    """Settings of two providers behind the stand-in: OpenAI's chat wire first, Anthropic's second."""
    return {
        "llm_provider": "openai",
        "llm_model": "gpt-5",
        "llm_base_url": f"{address}/v1",
        "llm_api_key": "k",
        "llm_second_provider": "anthropic",
        "llm_second_model": "claude-haiku-4-5",
        "llm_second_base_url": address,
        "llm_second_api_key": "k",
    }

"""A real server killed around the commits of a fuller draft: one child run, nothing doubled, the short draft stands."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.demo import shop
from tests.fixtures.installation import event
from tests.peers.beside import beside
from tests.peers.model_provider import ModelProvider, model_provider
from tests.peers.product import OPERATOR, PASSWORD, WHSEC, Product, ServerDiedError, product
from tests.peers.slow_once import slow_once

pytestmark = pytest.mark.slow

SECONDS = 240.0
QUESTION = "How long do I have to send an item back, and does it have to be unused?"
POINTS = ("after:card_ready:1", "before:fuller_ready:1", "after:fuller_ready:1")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Product, ModelProvider]]:
    """A shop whose first draft is cut, and whose server has not been started."""
    provider = slow_once(QUESTION)
    with beside(model_provider(provider)):
        environment = {
            "SUPPORT_KNOWN_VECTORS": str(shop.VECTORS),
            "SUPPORT_PORT": "0",
            "SUPPORT_MODE": "reply",
            "SUPPORT_STANDARD_WEBHOOK_SECRETS": WHSEC,
            "SUPPORT_SMTP_HOST": "127.0.0.1",
            "SUPPORT_SMTP_FROM_ADDRESS": "support@shop.example",
            "SUPPORT_DEADLINE_SECONDS": "30",
            "SUPPORT_LEASE_SECONDS": "60",
            "SUPPORT_HURRY_SECONDS": "120",
            "SUPPORT_REFUSE_SECONDS": "240",
            "SUPPORT_RESUMED_SECONDS": "20",
            "SUPPORT_STAGES__UNDERSTANDING": "10",
            "SUPPORT_STAGES__RETRIEVAL": "10",
            "SUPPORT_STAGES__DRAFTING": "5",
            "SUPPORT_LLM_PROVIDER": "openai",
            "SUPPORT_LLM_MODEL": "gpt-5",
            "SUPPORT_LLM_BASE_URL": provider.openai_url,
            "SUPPORT_LLM_API_KEY": "k",
            "SUPPORT_LLM_HEDGE_SHARE": "0",
            "SUPPORT_LLM_FULLER_DRAFT": "true",
            "SUPPORT_LLM_FULLER_SECONDS": "50",
        }
        with product(tmp_path / "data", environment) as made:
            made.command("kb", "sync", str(shop.ARTICLES))
            made.command("operators", "add", OPERATOR, "--role", "admin", "--password-stdin", stdin=PASSWORD)
            yield made, provider


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_leaves_one_child_and_the_draft_that_people_see(
    served: tuple[Product, ModelProvider], point: str
) -> None:
    made, provider = served
    made.start(fault=point)
    timeline, killed = _driven(made)
    assert killed == 1, f"the fault at {point} was never reached"
    first, second = (run["outcome"] for run in timeline["runs"])
    assert first in {"shortened", "extractive"}, "what was there when time was up"
    assert second == "drafted"
    (request,) = timeline["requests"]
    assert request["status"] == "pending"
    cut, whole = timeline["runs"]
    (waiting,) = made.get("/v1/approvals?status=pending")["items"]
    assert waiting["run_id"] == cut["id"]
    assert made.get(f"/v1/runs/{whole['id']}")["parent_run_id"] == cut["id"]
    # Only an attempt whose commit was lost asks the model again.
    times = sum(QUESTION in asked.user for asked in provider.asked)
    assert times == (3 if point.startswith("before") else 2)


def _driven(made: Product) -> tuple[Any, int]:
    """Send the message, start again whenever the server was killed, until the child is there and nothing waits."""
    ticket, killed, until = "", 0, time.monotonic() + SECONDS
    body = event(text=QUESTION)
    while time.monotonic() < until:
        try:
            ticket = ticket or str(made.webhook(body)["ticket_id"])
            made.sign_in()
            timeline = made.get(f"/v1/tickets/{ticket}")
            if len(timeline["runs"]) > 1 and killed:
                time.sleep(1.0)  # whatever would be doubled is doubled by now
                return made.get(f"/v1/tickets/{ticket}"), killed
            time.sleep(0.1)
        except ServerDiedError:
            assert made.was_killed(), made.log()[-4_000:]
            killed += 1
            made.start()
    pytest.fail(f"no child in {SECONDS} s:\n{made.log()[-4_000:]}")

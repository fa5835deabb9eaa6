"""A step in the shop's own systems, from the customer's words to the effect: proposed by policy, done once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.approval_safety.harness import SHOP, Furnished, World, drive, refund_message, world_of
from tests.peers.beside import beside
from tests.peers.serving import serving
from tests.peers.step_server import SECRET, StepServer

pytestmark = pytest.mark.long
ORDER = "HW-10482"  # still in processing, Lukas Weber's
AUTHORITY = """
second_factor: enrolled
rules:
  - {name: replies, action: send_reply, approvals: 1}
  - {name: cancellations, action: cancel_order, approvals: 1}
"""


def cancelling() -> dict[str, Any]:
    """The owner of an order that has not left asks for it to be cancelled."""
    body = refund_message()
    requester = {"email": "lukas.weber@postfach.example", "name": "Lukas Weber", "verified": True}
    ticket = {**body["ticket"], "id": "T-9", "subject": f"Cancel {ORDER}", "requester": requester, "order_id": ORDER}
    said = f"Hello, please cancel my order {ORDER}. I no longer need it."
    return {**body, "ticket": ticket, "message": {**body["message"], "text": said}}


@pytest.fixture
def shop(furnished: Furnished, tmp_path: Path) -> Iterator[tuple[World, StepServer]]:
    """A world whose policy offers to cancel, and the system that does it."""
    policy, authority, system = tmp_path / "policy.yaml", tmp_path / "authority.yaml", StepServer()
    policy.write_text((SHOP / "policy.yaml").read_text(encoding="utf-8") + "\nsteps: [cancel_order]\n")
    authority.write_text(AUTHORITY)
    with beside(serving(system)), world_of("stripe", furnished, tmp_path) as world:
        world.body = cancelling()
        world.product.environment = {
            **world.product.environment,
            "SUPPORT_POLICY": str(policy),
            "SUPPORT_AUTHORITY": str(authority),
            "SUPPORT_CANCEL_ORDER_URL": f"{system.base_url}/orders/{{order_id}}/cancel",
            "SUPPORT_STEP_STATUS_URL": f"{system.base_url}/status/{{action}}",
            "SUPPORT_STEP_SECRET": SECRET,
            "SUPPORT_STEP_PRIVATE_HOSTS": "127.0.0.1",
            "SUPPORT_STEP_SECONDS": "4",
        }
        yield world, system


def test_a_cancellation_whose_answer_is_lost_is_asked_for_once(shop: tuple[World, StepServer]) -> None:
    world, system = shop
    system.faults.append("drop_after")
    world.product.start()
    drive(world, lambda seen: seen.executions().get("cancel_order") == "succeeded")
    (done,) = system.done.values()
    assert (done["kind"], done["order_id"], done["requester"]) == (
        "cancel_order", ORDER, "lukas.weber@postfach.example",
    )  # fmt: skip
    assert (system.paths, len(system.keys)) == ([f"/orders/{ORDER}/cancel"], 1)
    assert world.provider.booked == []

"""A real server, a provider that loses answers, and kills around its call: one refund, whatever happens."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.approval_safety.harness import (
    PROVIDERS,
    Furnished,
    World,
    assert_one_refund,
    drive,
    kill_during_the_call,
    refund_is,
    world_of,
)
from tests.peers.stripe_server import StripeServer

pytestmark = pytest.mark.long

# Longer than Stripe keeps a key.
A_DAY_LATER = timedelta(hours=25)


@pytest.fixture(params=PROVIDERS)
def world(request: pytest.FixtureRequest, furnished: Furnished, tmp_path: Path) -> Iterator[World]:
    with world_of(request.param, furnished, tmp_path) as made:
        yield made


@pytest.mark.parametrize("fault", ["stall_after", "fail_after", "drop_after", "fail_before", "rate_limited"])
def test_a_provider_that_loses_its_answer_refunds_once(world: World, fault: str) -> None:
    world.fault(fault)
    world.product.start()
    drive(world)
    assert world.executions() == {"issue_refund": "succeeded", "send_reply": "succeeded"}
    assert_one_refund(world)
    assert len(world.mail.taken) == 1


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("boundary", ["execution_intent:1", "execution_result:1"])
def test_a_kill_at_a_commit_around_the_call_refunds_once(world: World, boundary: str, side: str) -> None:
    world.product.start(fault=f"{side}:{boundary}")
    drive(world)
    assert world.killed == 1
    assert_one_refund(world)


@pytest.mark.parametrize("fault", ["stall_before", "stall_after"])
def test_a_kill_during_the_call_refunds_once(world: World, fault: str) -> None:
    world.fault(fault)
    world.product.start()
    kill_during_the_call(world)
    world.product.start()
    drive(world)
    assert_one_refund(world)


def test_a_crash_that_is_noticed_a_day_later_refunds_once(world: World) -> None:
    world.fault("stall_after")
    world.product.start()
    kill_during_the_call(world)
    world.provider.now += A_DAY_LATER
    world.product.start()
    drive(world)
    assert_one_refund(world)


@pytest.mark.parametrize("later", [timedelta(), A_DAY_LATER], ids=["at once", "25 h later"])
def test_a_restored_backup_refunds_once(world: World, later: timedelta) -> None:
    """The backup knows the approval, not the refund: nothing leaves before an admin has looked."""
    world.product.environment = {**world.product.environment, "SUPPORT_UNDO_REFUND_SECONDS": "10"}
    world.product.start()
    drive(world, refund_is("scheduled"))
    world.kill()
    backup = world.back_up()
    world.product.start()
    drive(world)
    assert world.executions()["issue_refund"] == "succeeded"
    world.product.stop()
    world.restore(backup)
    world.provider.now += later
    world.product.start()
    time.sleep(2)  # what would be due at once has been due for a while
    assert len(world.provider.booked) == 1
    assert "in_doubt" in world.executions().values()
    world.product.post("/v1/quarantine/adopt")
    drive(world, refund_is("succeeded"))
    assert_one_refund(world)


def test_a_refund_that_fails_afterwards_is_failed_here_too(world: World) -> None:
    world.product.start()
    drive(world)
    (made,) = world.provider.booked
    if isinstance(world.provider, StripeServer):
        event = world.provider.failed(made)
    else:
        made["status"] = "FAILED"
        event = world.provider.event("PAYMENT.CAPTURE.REFUNDED", made)
    forged = {**event, "id": "evt_forged"}
    assert world.product.raw("/webhooks/" + world.provider_name, str(forged).encode(), {}) == 401
    assert world.executions()["issue_refund"] == "succeeded"
    assert [world.tell(event) for _ in range(2)] == [202, 202]
    assert world.executions()["issue_refund"] == "failed"
    reason = world.product.get(f"/v1/tickets/{world.ticket}")["ticket"]["needs_person_reason"]
    assert "failed afterwards" in reason


def test_the_providers_keys_are_in_no_log(world: World) -> None:
    world.fault("fail_after")
    world.product.start()
    drive(world)
    log = world.product.log()
    assert log
    for secret in world.secrets:
        assert secret not in log

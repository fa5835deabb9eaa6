"""A real server killed around a reply: a helpdesk gets exactly one comment, a mail server at most one letter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.approval_safety.harness import (
    Furnished,
    World,
    assert_one_refund,
    drive,
    kill_during_the_call,
    world_of,
)

pytestmark = pytest.mark.long
SIDES = pytest.mark.parametrize("side", ["before", "after"])


@pytest.fixture
def world(furnished: Furnished, tmp_path: Path) -> Iterator[World]:
    with world_of("stripe", furnished, tmp_path) as made:
        yield made


@SIDES
@pytest.mark.parametrize("boundary", ["execution_intent:2", "execution_result:2"])
def test_a_kill_at_a_commit_around_the_comment_writes_one(world: World, boundary: str, side: str) -> None:
    world.by_zendesk = True
    world.product.start(fault=f"{side}:{boundary}")
    drive(world)
    assert (world.killed, world.executions()["send_reply"]) == (1, "succeeded")
    assert_one_refund(world)
    assert (world.comments, world.mail.taken) == (1, [])


@SIDES
def test_a_kill_during_the_comment_writes_one(world: World, side: str) -> None:
    world.by_zendesk = True
    world.desk.faults.append(f"stall_{side}")
    world.product.start()
    kill_during_the_call(world, lambda seen: seen.desk.reached.is_set())
    world.product.start()
    drive(world)
    assert world.executions()["send_reply"] == "succeeded"
    assert_one_refund(world)
    assert (world.comments, world.mail.taken) == (1, [])


@SIDES
def test_a_kill_at_the_letters_marker_sends_at_most_one(world: World, side: str) -> None:
    world.product.start(fault=f"{side}:mail_marker:1")
    drive(world)
    assert world.killed == 1
    # Before the marker nothing was sent, and it is sent now; after it only a person can tell.
    assert world.executions()["send_reply"] == ("succeeded" if side == "before" else "in_doubt")
    assert_one_refund(world)
    assert len(world.mail.taken) == (1 if side == "before" else 0)


@SIDES
def test_a_kill_while_the_letter_is_handed_over_sends_no_second(world: World, side: str) -> None:
    world.mail.stall = side
    world.product.start()
    kill_during_the_call(world, lambda seen: seen.mail.reached)
    world.mail.stall = ""
    world.product.start()
    drive(world)
    assert world.executions()["send_reply"] == "in_doubt"
    assert_one_refund(world)
    assert len(world.mail.taken) == (0 if side == "before" else 1)

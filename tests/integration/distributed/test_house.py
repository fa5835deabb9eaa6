"""An installation of several processes: its journey, and its work when a process, a message or the broker fails."""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from kombu import Connection

from api.worker.broker import TASK
from tests.integration.distributed.conftest import SHOP, House
from tests.peers.processes import Processes

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SECONDS = 180.0
# The setting's default, and the two seconds of a usual deadline: the promise is that a run is resumed within both.
TAKEOVER, DEADLINE = 3.0, 2.0
# From a webhook to the end of its run with nothing else to do.
IDLE = 0.5
HELD = (
    "SELECT extract(epoch FROM leased_until - clock_timestamp()) AS seconds FROM outbox"
    " WHERE done_at IS NULL AND buried_at IS NULL AND leased_until IS NOT NULL AND name = 'ticket_received'"
)
RESUMED = "SELECT id FROM runs WHERE attempt > 1"


def until(condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail(f"not within {seconds} s")


def message(number: int = 0) -> dict[str, Any]:
    """One of the demo's messages on a ticket of its own; the first asks for a refund that is due."""
    line = (SHOP / "messages.jsonl").read_text(encoding="utf-8").splitlines()[number]
    body: dict[str, Any] = json.loads(line.replace("{now}", datetime.now(UTC).isoformat()))["body"]
    body["ticket"]["id"] = body["message"]["id"] = f"D-{uuid4().hex[:8]}"
    return body


def finished(house: House, ticket: str) -> bool:
    rows = house.rows("SELECT status FROM runs WHERE ticket_id = %s", ticket)
    return [row["status"] for row in rows] == ["finished"]


def approve_all(running: Processes, ticket: str) -> None:
    """Approve what is asked about this ticket; what other tests left pending stays so."""
    asked = running.get(f"/v1/tickets/{ticket}")["requests"]
    for request in (each for each in asked if each["status"] == "pending"):
        decision = {"decision": "approve", "digest": request["digest"]}
        try:
            running.post(f"/v1/approvals/{request['id']}/decisions", decision)
        except httpx.HTTPStatusError as refused:
            assert refused.response.status_code == httpx.codes.CONFLICT, refused  # noqa: PT017 - the reply waits


def test_from_a_webhook_to_one_refund_and_one_mail(house: House) -> None:
    running = house.processes
    ticket = running.webhook(message())["ticket_id"]
    until(lambda: finished(house, ticket))
    running.sign_in()

    def settled() -> bool:
        approve_all(running, ticket)
        states = [each["status"] for each in running.get(f"/v1/tickets/{ticket}")["executions"]]
        return states == ["succeeded", "succeeded"]

    until(settled)
    assert len(house.mail.taken) == 1
    assert len(house.rows("SELECT id FROM attempts")) == 2
    state = running.get("/readyz")
    assert (state["ready"], state["broker"], state["worker"], state["clock"]) == (True, "reachable", True, True)


def test_hostile_messages_do_nothing_and_are_not_quoted(house: House) -> None:
    marker = f"marker-{uuid4().hex}"
    event = str(uuid4())
    plain = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    again = {**plain, "chain": [{"task": TASK, "args": [marker, 0], "kwargs": {}, "options": {}}]}
    hostile: list[tuple[Any, dict[str, Any]]] = [
        (json.dumps([[marker], {}, plain]), {"headers": {"task": "os.system", "id": event}}),
        (json.dumps([[marker, event], {}, plain]), {"headers": {"task": "celery.chord_unlock", "id": event}}),
        (json.dumps([[marker, 0], {}, plain]), {"headers": {"task": TASK, "id": event}}),
        (json.dumps([[event, 0], {}, again]), {"headers": {"task": TASK, "id": event}}),
        (
            b"\x80\x04\x95" + marker.encode(),
            {"content_type": "application/x-python-serialize", "headers": {"task": TASK}},
        ),
        (marker, {"headers": {}}),
        (json.dumps({"task": TASK, "id": event, "args": [marker, 0]}), {"headers": {}}),
    ]
    with Connection(house.broker_url) as connection:
        producer = connection.Producer(auto_declare=False)
        for body, more in hostile:
            given = {"content_type": "application/json", "content_encoding": "utf-8", **more}
            producer.publish(body, exchange=house.prefix, routing_key="runs", serializer=None, **given)
        expected = Counter({"not_a_hint": len(hostile)})
        if house.broker_url.startswith("redis"):  # what is not even an envelope
            for raw in (marker, json.dumps([marker]), json.dumps({"body": marker})):
                connection.default_channel.client.rpush(f"{house.prefix}.runs", raw)
                expected["not_an_envelope"] += 1
    worker = house.processes.one("worker")
    until(lambda: Counter(_codes(worker.said)) == expected)
    ticket = house.processes.webhook(message(1))["ticket_id"]
    until(lambda: finished(house, ticket))
    assert worker.process.poll() is None
    assert marker not in house.processes.log()


def _codes(said: str) -> list[str]:
    return [line.partition("code=")[2].split()[0] for line in said.splitlines() if "message_refused" in line]


def test_while_the_broker_is_away_nothing_is_lost(house: House) -> None:
    running = house.processes
    house.proxy.cut()
    try:
        until(lambda: running.get("/readyz")["broker"] == "away")
        tickets = [running.webhook(message(at))["ticket_id"] for at in (1, 2)]
        state = running.get("/readyz")
        assert (state["ready"], state["broker"]) == (True, "away")
        time.sleep(3)
        assert not any(finished(house, ticket) for ticket in tickets)
    finally:
        house.proxy.mend()
    until(lambda: all(finished(house, ticket) for ticket in tickets))
    assert [running.one(kind).process.poll() for kind in ("worker", "relay", "scheduler")] == [None] * 3


def test_a_killed_workers_run_is_resumed_by_another(house: House) -> None:
    # A moment may be long on a machine that others keep busy; what is promised is stretched by as much.
    promised = (DEADLINE + TAKEOVER) * _slowness(house)
    waited: list[float] = []
    while len(waited) < 3 and not any(each <= promised for each in waited):
        waited.append(_seconds_until_resumed(house))
    assert min(waited) <= promised, (waited, promised)


def _slowness(house: House) -> float:
    """How much longer an ordinary message takes here and now than on an idle machine, at least once as long."""
    took = []
    for number in (1, 2, 3):
        began = time.monotonic()
        ticket = house.processes.webhook(message(number))["ticket_id"]
        until(partial(finished, house, ticket))
        took.append(time.monotonic() - began)
    return max(1.0, max(took) / IDLE)


def _seconds_until_resumed(house: House) -> float:
    """Send tickets until a worker has begun one and is killed; seconds until another has begun it again."""
    running = house.processes
    resumed = len(house.rows(RESUMED))
    doomed = running.begin("worker", fault="after:begin_run:1")
    running.await_ready(doomed)
    tickets: list[str] = []
    while doomed.process.poll() is None:
        tickets.append(running.webhook(message(1 + len(tickets) % 6))["ticket_id"])
        time.sleep(0.2)
        assert len(tickets) < 100
    died = time.monotonic()
    assert doomed.process.poll() == -signal.SIGKILL
    # However busy the machine: nothing that it held is held for longer than was promised.
    assert all(row["seconds"] <= DEADLINE + TAKEOVER for row in house.rows(HELD)), house.rows(HELD)
    until(lambda: len(house.rows(RESUMED)) > resumed)
    seconds = time.monotonic() - died
    until(lambda: all(finished(house, ticket) for ticket in tickets))
    return seconds


def test_without_a_relay_the_scheduler_sees_to_it(house: House) -> None:
    running = house.processes
    running.one("relay").kill()
    ticket = running.webhook(message(1))["ticket_id"]
    until(lambda: finished(house, ticket))
    running.await_ready(running.begin("relay"))


def test_a_second_scheduler_waits_for_the_first_to_die(house: House) -> None:
    running = house.processes
    first, second = running.one("scheduler"), running.begin("scheduler")
    running.await_ready(second)
    until(lambda: "turn_taken" in first.said)
    assert "turn_taken" not in second.said
    first.kill()
    until(lambda: "turn_taken" in second.said)


def test_a_worker_that_is_told_to_stop_ends_what_it_began(house: House) -> None:
    running = house.processes
    tickets = [running.webhook(message(at))["ticket_id"] for at in (1, 2, 3)]
    assert running.one("worker").stop() == 0 or running.one("worker").process.poll() == -9
    living = [each for each in running.running if each.kind == "worker" and each.process.poll() is None]
    for worker in living:
        assert worker.stop() == 0
    assert house.rows("SELECT ticket_id FROM runs WHERE status = 'open'") == []
    running.await_ready(running.begin("worker"))
    until(lambda: all(finished(house, ticket) for ticket in tickets))

"""The way in over HTTP: what is stored, what is refused with nothing stored, and what starts a run (I4)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx

from api.edge import LIMIT
from api.errors import MEDIA_TYPE
from api.intake.standard import sign
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.installation import SECRET, Installation, event

NOTHING = {"inbox": 0, "tickets": 0, "messages": 0, "outbox": 0, "runs": 0, "approval_requests": 0}


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == MEDIA_TYPE
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "code"}
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


async def test_i4_an_acknowledged_message_is_stored_once_with_its_event(installation: Installation) -> None:
    first = await installation.send(event())
    assert first.status_code == 202
    assert set(first.json()) == {"ticket_id", "duplicate"}
    assert not first.json()["duplicate"]
    assert await installation.counts() == NOTHING | {"inbox": 1, "tickets": 1, "messages": 1, "outbox": 1}


async def test_i4_a_redelivery_under_another_delivery_id_is_a_duplicate(installation: Installation) -> None:
    first = await installation.send(event())
    second = await installation.send(event())
    assert second.json() == {"ticket_id": first.json()["ticket_id"], "duplicate": True}
    assert await installation.counts() == NOTHING | {"inbox": 1, "tickets": 1, "messages": 1, "outbox": 1}


async def test_i4_twenty_deliveries_at_once_are_one(installation: Installation) -> None:
    body = event()
    answers = await asyncio.gather(*(installation.send(body) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [202] * 20
    assert sum(not answer.json()["duplicate"] for answer in answers) == 1
    assert len({answer.json()["ticket_id"] for answer in answers}) == 1
    assert (await installation.counts())["outbox"] == 1


async def test_refusals_are_problem_documents_and_store_nothing(local_installation: Installation) -> None:
    client, raw = local_installation.client, json.dumps(event()).encode()
    now = datetime.now(UTC)
    signed = sign(SECRET, message_id="m", at=now, body=raw)
    big = json.dumps(event(text="x" * LIMIT)).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 65_536):
            yield big[start : start + 65_536]

    refused = {
        "no signature": (await client.post("/webhooks/standard", content=raw), 401, "bad_signature"),
        "another body": (
            await client.post("/webhooks/standard", content=raw + b" ", headers=signed),
            401,
            "bad_signature",
        ),
        "stale": (await local_installation.send(event(), at=now - timedelta(minutes=6)), 401, "stale_signature"),
        "from the future": (
            await local_installation.send(event(), at=now + timedelta(minutes=6)),
            401,
            "stale_signature",
        ),
        "zendesk unsigned": (await client.post("/webhooks/zendesk", content=raw), 401, "bad_signature"),
        "another source's signature": (
            await client.post("/webhooks/zendesk", content=raw, headers=signed),
            401,
            "bad_signature",
        ),
        "unknown source": (await client.post("/webhooks/intercom", content=raw, headers=signed), 404, "unknown_source"),
        "too large": (await local_installation.send(big), 413, "too_large"),
        "too large in chunks": (
            await client.post(
                "/webhooks/standard", content=chunks(), headers=sign(SECRET, message_id="m", at=now, body=big)
            ),
            413,
            "too_large",
        ),
        "a length that cannot be": (
            await client.post("/webhooks/standard", content=raw, headers=signed | {"Content-Length": "9" * 5_000}),
            413,
            "too_large",
        ),
    }
    for name, (answer, status, code) in refused.items():
        assert problem(answer) == (status, code), name
    assert (await client.get("/webhooks/standard")).status_code == 405
    assert await local_installation.counts() == NOTHING


async def test_i4_a_well_signed_body_of_unknown_shape_is_kept_raw_and_buried(installation: Installation) -> None:
    for raw in (b"not json", b'{"type":"ticket.exploded"}', b"\xff\x00", b"", b"[" * 100_000):
        answer = await installation.send(raw)
        assert (answer.status_code, answer.json()) == (202, {"ticket_id": None, "duplicate": False}), raw[:20]
        await installation.send(raw)
    assert await installation.counts() == NOTHING | {"inbox": 5}
    async with installation.container.database.read() as uow:
        buried = await uow.inbox.buried(DEFAULT_WORKSPACE)
    assert {item.raw for item in buried} == {
        b"not json",
        b'{"type":"ticket.exploded"}',
        b"\xff\x00",
        b"",
        b"[" * 100_000,
    }


async def test_what_is_not_a_customers_own_words_is_stored_and_starts_nothing(local_installation: Installation) -> None:
    bodies = [
        event(message_id="1", author="operator"),
        event(message_id="2", author="system"),
        event(message_id="3", public=False),
        event(message_id="4", headers={"Auto-Submitted": "auto-replied"}),
        event(message_id="5", subject="Automatic reply: A return"),
    ]
    for body in bodies:
        assert (await local_installation.send(body)).status_code == 202
    counts = await local_installation.counts()
    assert (counts["messages"], counts["outbox"]) == (5, 0)


async def test_both_sources_are_received(local_installation: Installation) -> None:
    answer = await local_installation.send(event(), source="zendesk")
    assert answer.status_code == 202, answer.text
    assert answer.json()["ticket_id"] is not None


async def test_security_headers_are_on_every_answer(local_installation: Installation) -> None:
    for answer in (await local_installation.send(event()), await local_installation.client.get("/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"


async def test_a_message_becomes_a_card(installation: Installation) -> None:
    async with installation.working():
        ticket = (await installation.send(event())).json()["ticket_id"]
        await installation.settled()
    token = {"Authorization": f"Bearer {installation.container.key.local_token}"}
    shown = (await installation.client.get(f"/v1/tickets/{ticket}", headers=token)).json()
    run = (await installation.client.get(f"/v1/runs/{shown['runs'][0]['id']}", headers=token)).json()
    assert run["ticket_id"] == ticket
    assert run["sections"]["intent"]
    assert run["total_ms"] > 0
    assert not run["late"]

"""Bytes that are not the ones that were shown: no field of an action can be changed, before a decision or after it."""

import json
from typing import Any

import pytest
from sqlalchemy import text, update

from approvals.canonical import digest_of
from approvals.ports import Person
from db.base import Base
from support_agents.domain.action import ProposedAction
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId
from tests.fixtures.approvals import REPLY, Shop, refund

REQUESTS = Base.metadata.tables["approval_requests"]
PROPOSALS: dict[str, ProposedAction] = {"refund": refund(), "reply": REPLY}
# What an action holds at least; a field that is added later is tampered with as well.
LEAST = {
    "refund": {
        "amount",
        "payment_ref",
        "order_id",
        "account_last4",
        "live",
        "revision",
        "clauses",
        "nonce",
        "workspace",
    },
    "reply": {"to", "cc", "sender", "subject", "text", "html", "headers", "attachments", "live", "revision", "nonce"},
}


def changed(value: Any) -> Any:
    """Something else of the same shape, and where there is nothing, something."""
    match value:
        case bool() | int():
            return not value if isinstance(value, bool) else value + 1
        case str():
            return value[:-1] + ("1" if not value.endswith("1") else "2")
        case {"minor": int(minor)}:
            return {**value, "minor": minor * 10}
        case dict():
            return {**value, "more": 1}
        case list():
            return [*value, "mallory@evil.example"]
        case _:
            return "00000000-0000-7000-8000-000000000009"


def forgeries(canonical: bytes) -> dict[str, bytes]:
    """The same action with one field changed, for each field in turn; written as the product writes it."""
    action = json.loads(canonical)
    assert written(action) == canonical
    return {field: written({**action, field: changed(value)}) for field, value in action.items()}


def written(action: dict[str, Any]) -> bytes:
    return json.dumps(action, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


async def without_guards(shop: Shop) -> None:
    """An attacker who may do anything in the database: its own refusals are gone."""
    async with shop.database.write("attack") as uow:
        postgresql = uow.session.backend == "postgresql"
        on = " ON approval_requests" if postgresql else ""
        await uow.session.execute(text(f"DROP TRIGGER guard_approval_requests_update{on}"))


async def put(shop: Shop, request: RequestId, canonical: bytes, **columns: object) -> None:
    async with shop.database.write("attack") as uow:
        values = {"canonical": canonical, **columns}
        await uow.session.execute(update(REQUESTS).where(REQUESTS.c.id == request).values(**values))


async def refusal(shop: Shop, request: RequestId, digest: str, person: Person) -> str:
    """The code with which an approval of this digest is refused, or nothing."""
    try:
        await shop.queue.decide(request, digest=digest, verdict=DecisionVerdict.APPROVE, person=person)
    except SupportError as error:
        return error.code
    return ""


@pytest.mark.parametrize("kind", PROPOSALS)
async def test_no_other_digest_is_taken_whichever_field_was_changed(shop: Shop, kind: str) -> None:
    (request,) = await shop.proposed(PROPOSALS[kind])
    ben, forged = await shop.person("ben"), forgeries((await shop.request(request)).canonical)
    assert LEAST[kind] <= set(forged)
    for field, canonical in forged.items():
        assert await refusal(shop, request, digest_of(canonical), ben) == "digest_mismatch", field
    assert (await shop.request(request)).status is RequestStatus.PENDING


@pytest.mark.parametrize("kind", PROPOSALS)
async def test_no_stored_field_can_be_changed_before_the_decision(shop: Shop, kind: str) -> None:
    (request,) = await shop.proposed(PROPOSALS[kind])
    await without_guards(shop)
    ben, shown = await shop.person("ben"), await shop.request(request)
    for field, canonical in forgeries(shown.canonical).items():
        await put(shop, request, canonical)
        assert await refusal(shop, request, shown.digest, ben) == "digest_mismatch", field
        # Nor with a digest to match, for that is not the one that the person was shown.
        await put(shop, request, canonical, digest=digest_of(canonical))
        assert await refusal(shop, request, shown.digest, ben) == "digest_mismatch", field
        await put(shop, request, shown.canonical, digest=shown.digest)
    assert await refusal(shop, request, shown.digest, ben) == ""


@pytest.mark.parametrize("kind", PROPOSALS)
async def test_no_stored_field_can_be_changed_after_the_decision(shop: Shop, kind: str) -> None:
    await without_guards(shop)
    ben = await shop.person("ben")
    (request,) = await shop.proposed(PROPOSALS[kind])
    for minute, field in enumerate(forgeries((await shop.request(request)).canonical), start=1):
        (request,) = await shop.proposed(PROPOSALS[kind], key=f"m-{minute}", minute=minute)
        execution = await shop.approve(request, ben)
        assert execution is not None
        await put(shop, request, forgeries((await shop.request(request)).canonical)[field])
        assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED, field
        assert (shop.payments.booked, shop.mail.sent) == ({}, []), field

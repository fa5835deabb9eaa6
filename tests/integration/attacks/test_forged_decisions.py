"""Whoever can write decisions, but has no key of those who decide, approves nothing: I1 beyond the grants."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text

from approvals.decision_seal import DecisionSeal
from db.base import table_of
from db.models.approvals import DecisionRow
from db.repositories.approvals import Decision
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus
from support_agents.domain.errors import SupportError
from tests.fixtures.approvals import SEAL, Shop, refund

STRANGER = DecisionSeal(b"a key that somebody else has made")


async def forged(shop: Shop, seal: DecisionSeal) -> ExecutionStatus:
    """Everything is as it should be – session, role, digest, both rows –, but for the key it was sealed with."""
    money = (await shop.proposed(refund()))[0]
    person = await shop.person("ben")
    real = shop.queue
    async with shop.database.read() as uow:
        request = await uow.approvals.get(money)
    assert request is not None
    decided = await replace(real, seal=seal).decide(
        money,
        digest=request.digest,
        verdict=DecisionVerdict.APPROVE,
        person=person,
    )
    assert decided.execution_id is not None
    return await shop.executions.carry_out(decided.execution_id)


async def test_i1_a_decision_sealed_by_a_stranger_moves_nothing(shop: Shop) -> None:
    assert await forged(shop, STRANGER) is ExecutionStatus.SUPERSEDED
    assert shop.payments.booked == {}


async def test_the_same_with_the_right_key_is_carried_out(shop: Shop) -> None:
    assert await forged(shop, SEAL) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_i1_a_decision_without_a_seal_moves_nothing(shop: Shop) -> None:
    execution = await shop.approved(refund())
    async with shop.database.write("attack") as uow:
        await uow.session.execute(text("UPDATE decisions SET seal = ''"))
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.payments.booked == {}


async def test_every_field_that_decides_is_sealed(shop: Shop) -> None:
    await shop.approved(refund())
    async with shop.database.read() as uow:
        row = (await uow.session.execute(select(table_of(DecisionRow).c.request_id))).scalar_one()
        (decision,) = await uow.approvals.decisions(row)
    assert SEAL.objection([decision]) is None
    changed = {name: f"{getattr(decision, name)}0" for name in Decision.model_fields if name not in {"reason", "seal"}}
    changed["created_at"] = decision.created_at.replace(year=2001)  # type: ignore[assignment]
    for name, value in changed.items():
        assert SEAL.objection([decision.model_copy(update={name: value})]), name


def test_a_process_without_the_key_neither_seals_nor_verifies() -> None:
    with pytest.raises(SupportError, match="no key"):
        DecisionSeal(None).of(None)  # type: ignore[arg-type] # it does not come to reading it

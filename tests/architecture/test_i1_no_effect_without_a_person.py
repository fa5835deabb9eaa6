"""I1: no effect leaves without a stored decision of a human; the database itself refuses it."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Column, insert, text, update
from sqlalchemy.exc import DBAPIError

from approvals.ports import Person
from approvals.queue import ApprovalQueue
from approvals.submission import Submission
from db.base import Base, PersonalBytes
from db.guards import FIXED
from db.uow import UnitOfWork
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, new_id
from support_agents.domain.money import Money
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund, set_column
from tests.fixtures.inbound import ANNA

TABLES = Base.metadata.tables
BIG = ORDER.model_copy(update={"order_id": "A-2", "total": Money(minor=20_000, currency="EUR"), "payment_ref": "pay-2"})


@asynccontextmanager
async def refused(shop: Shop, why: str) -> AsyncIterator[UnitOfWork]:
    """A transaction that the database itself must refuse, and for this reason."""
    with pytest.raises(DBAPIError, match=why):
        async with shop.database.write("attack") as uow:
            yield uow


async def add_execution(uow: UnitOfWork, request: RequestId, decision: UUID, **changes: object) -> None:
    """Insert an execution the way an attacker with the application's own connection would."""
    found = await uow.approvals.get(request)
    assert found is not None
    values = {
        "id": new_id(),
        "workspace_id": DEFAULT_WORKSPACE,
        "request_id": request,
        "decision_id": decision,
        "digest": found.digest,
        "verdict": "approve",
        "action_id": found.action_id,
        "ticket_id": found.ticket_id,
        "kind": found.kind,
        "way": found.way,
        "status": "scheduled",
        "not_before": await uow.now(),
    }
    await uow.session.execute(insert(TABLES["executions"]).values(**values | changes))


async def add_decision(uow: UnitOfWork, request: RequestId, person: Person, **changes: object) -> UUID:
    found = await uow.approvals.get(request)
    assert found is not None
    values = {
        "id": new_id(),
        "workspace_id": DEFAULT_WORKSPACE,
        "request_id": request,
        "digest": found.digest,
        "operator_id": person.operator_id,
        "session_id": person.session_id,
        "role": person.role,
        "verdict": "approve",
        "reason": "",
    } | changes
    await uow.session.execute(insert(TABLES["decisions"]).values(**values))
    return values["id"]  # type: ignore[return-value] # the id put in above


async def mark_approved(uow: UnitOfWork, request: RequestId) -> None:
    await set_column(uow, "approval_requests", "status", RequestStatus.APPROVED, request)


async def test_i1_the_database_refuses_an_execution_without_any_decision(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    async with refused(shop, "needs its approvals") as uow:
        await mark_approved(uow, request)
        await add_execution(uow, request, new_id())


async def test_i1_the_database_refuses_an_execution_on_a_rejection(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    for verdict in ("approve", "reject"):
        async with refused(shop, "needs its approvals") as uow:
            decision = await add_decision(uow, request, ben, verdict="reject")
            await mark_approved(uow, request)
            await add_execution(uow, request, decision, verdict=verdict)


async def test_i1_the_database_refuses_an_execution_with_too_few_people(shop: Shop) -> None:
    shop.orders.orders = {ANNA.email: (BIG,)}
    (request,) = await shop.proposed(refund(BIG), order=BIG)
    mia = await shop.person("mia", Role.MANAGER)
    async with refused(shop, "needs its approvals") as uow:
        decision = await add_decision(uow, request, mia)
        await mark_approved(uow, request)
        await add_execution(uow, request, decision)


async def test_i1_the_database_refuses_an_execution_without_the_manager(shop: Shop) -> None:
    shop.orders.orders = {ANNA.email: (BIG,)}
    (request,) = await shop.proposed(refund(BIG), order=BIG)
    people = [await shop.person(name) for name in ("ben", "eva")]
    async with refused(shop, "needs its approvals") as uow:
        decisions = [await add_decision(uow, request, person) for person in people]
        await mark_approved(uow, request)
        await add_execution(uow, request, decisions[0])


async def test_i1_one_person_cannot_be_two(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    async with refused(shop, r"(?i)unique") as uow:
        await add_decision(uow, request, ben)
        await add_decision(uow, request, ben)


async def test_i1_the_database_refuses_an_execution_of_other_bytes(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    async with refused(shop, "needs its approvals") as uow:
        decision = await add_decision(uow, request, ben)
        await mark_approved(uow, request)
        await add_execution(uow, request, decision, digest="0" * 64)


async def test_i1_the_database_refuses_an_execution_of_a_request_still_pending(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    async with refused(shop, "needs its approvals") as uow:
        decision = await add_decision(uow, request, ben)
        await add_execution(uow, request, decision)


async def test_i1_the_database_refuses_an_execution_born_executing(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    async with refused(shop, "needs its approvals") as uow:
        decision = await add_decision(uow, request, ben)
        await mark_approved(uow, request)
        await add_execution(uow, request, decision, status="executing")


async def test_i1_a_decision_needs_a_live_session_of_its_own_operator(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben, eva = await shop.person("ben"), await shop.person("eva")
    for changes in ({"session_id": eva.session_id}, {"session_id": new_id()}, {"role": Role.ADMIN}):
        async with refused(shop, "session of its operator") as uow:
            await add_decision(uow, request, ben, **changes)
    async with shop.database.write("sign_out") as uow:
        await uow.operators.end_session(ben.session_id)
    async with refused(shop, "session of its operator") as uow:
        await add_decision(uow, request, ben)


async def test_i1_nothing_that_was_decided_can_be_deleted(shop: Shop) -> None:
    await shop.approved(refund())
    for table in ("decisions", "executions", "approval_requests"):
        async with refused(shop, "never deleted") as uow:
            await uow.session.execute(TABLES[table].delete())


async def test_i1_nothing_that_was_decided_can_be_changed(shop: Shop) -> None:
    await shop.approved(refund())
    for table, columns in FIXED.items():
        for column in columns:
            async with refused(shop, "never changes") as uow:
                await uow.session.execute(update(TABLES[table]).values({column: other(TABLES[table].c[column])}))


def other(column: Column[object]) -> object:
    """A value of the column's type that is not the stored one."""
    if isinstance(column.type, PersonalBytes):
        return b"{}"
    return {UUID: new_id(), int: 2}.get(column.type.python_type, "USD")


async def test_i1_an_ended_session_a_lost_role_and_a_disabled_operator_decide_nothing(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben, eva, tom = [await shop.person(name) for name in ("ben", "eva", "tom")]
    async with shop.database.write("people") as uow:
        await uow.operators.end_session(ben.session_id)
        await set_column(uow, "operators", "role", Role.VIEWER, eva.operator_id)
        await set_column(uow, "operators", "disabled_at", await uow.now(), tom.operator_id)
    for person in (ben, eva, tom):
        with pytest.raises(SupportError) as caught:
            await shop.approve(request, person)
        assert caught.value.code == "not_allowed"
    assert (await shop.request(request)).status is RequestStatus.PENDING


async def test_i1_viewers_and_those_concerned_approve_nothing(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    for person in (
        await shop.person("vic", Role.VIEWER),
        await shop.person("anna", Role.ADMIN, email="Anna+work@Example.com"),
    ):
        with pytest.raises(SupportError) as caught:
            await shop.approve(request, person)
        assert caught.value.code == "not_allowed"


async def test_i1_a_run_alone_has_no_effect_whatever_it_proposes(shop: Shop) -> None:
    await shop.proposed(refund(), REPLY)
    async with shop.database.read() as uow:
        count = await uow.session.scalar(text("SELECT count(*) FROM executions"))
    assert count == 0
    assert await shop.executions.due_for_reconcile(100) == ()
    assert (shop.mail.sent, shop.payments.booked) == ([], {})


async def test_i1_only_a_person_can_be_passed_to_decide() -> None:
    deciding = inspect.signature(ApprovalQueue.decide).parameters
    assert deciding["person"].annotation is Person
    assert deciding["person"].default is inspect.Parameter.empty
    assert "decide" not in {name for name, _ in inspect.getmembers(Submission)}


async def test_i1_inside_steps_know_no_kind_that_a_customer_could_see(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    found = await shop.request(request)
    same = {
        "workspace_id": DEFAULT_WORKSPACE, "ticket_id": found.ticket_id, "run_id": found.run_id, "body": "x",
        "ticket_revision": 1, "status": "pending",
    }  # fmt: skip
    insertion = insert(TABLES["inside_steps"])
    async with shop.database.write("control") as uow:
        await uow.session.execute(insertion.values(id=new_id(), kind="note", **same))
    for kind in ("reply", "refund", "public_comment", "send_reply"):
        async with refused(shop, "ck_inside_steps_kind") as uow:
            await uow.session.execute(insertion.values(id=new_id(), kind=kind, **same))


async def test_i1_control_with_its_approval_the_same_insert_is_taken(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    async with shop.database.write("control") as uow:
        decision = await add_decision(uow, request, ben)
        await mark_approved(uow, request)
        await add_execution(uow, request, decision)


async def test_i1_the_kill_switch_stops_what_is_approved(shop: Shop) -> None:
    execution = await shop.approved(refund())
    async with shop.database.write("pause") as uow:
        await uow.workspaces.pause(DEFAULT_WORKSPACE)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SCHEDULED
    assert shop.payments.booked == {}
    async with shop.database.write("unpause") as uow:
        await uow.workspaces.unpause(DEFAULT_WORKSPACE)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED


async def test_i1_daily_money_is_limited_per_operator(shop: Shop) -> None:
    ben = await shop.person("ben")
    orders = [
        ORDER.model_copy(update={"order_id": f"B-{n}", "total": Money(minor=10_000, currency="EUR"), "version": "v"})
        for n in range(6)
    ]
    shop.orders.orders = {ANNA.email: tuple(orders)}
    codes = []
    for minute, order in enumerate(orders):
        (request,) = await shop.proposed(refund(order), key=f"m-{minute}", minute=minute, order=order)
        try:
            await shop.approve(request, ben)
            codes.append("")
        except SupportError as error:
            codes.append(error.code)
    assert codes == [""] * 5 + ["not_allowed"]


async def test_i1_money_is_given_back_when_nothing_came_of_it(shop: Shop) -> None:
    ben = await shop.person("ben")
    for minute in range(12):
        (request,) = await shop.proposed(refund(), key=f"m-{minute}", minute=minute)
        execution = await shop.approve(request, ben)
        assert execution is not None
        await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="test")


async def test_i1_an_expired_request_cannot_be_decided(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    async with shop.database.write("time") as uow:
        await set_column(uow, "approval_requests", "expires_at", await uow.now() - timedelta(seconds=1), request)
    with pytest.raises(SupportError) as caught:
        await shop.approve(request, await shop.person("ben"))
    assert caught.value.code == "expired"
    assert await shop.queue.expire_due() == 1
    assert await shop.queue.expire_due() == 0
    found = await shop.request(request)
    assert found.status is RequestStatus.EXPIRED
    assert "fresh draft" in (await shop.needs_person(found.ticket_id) or "")


async def test_i1_a_rejection_returns_the_ticket_with_its_reason(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    digest = (await shop.request(request)).digest
    ben = await shop.person("ben")
    await shop.queue.decide(request, digest=digest, verdict=DecisionVerdict.REJECT, person=ben, reason="wrong tone")
    assert "wrong tone" in (await shop.needs_person((await shop.request(request)).ticket_id) or "")

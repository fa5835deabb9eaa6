"""I3: one effect per approved action, whatever crashes, repeats, sleeps, times out or comes back from a backup."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from approvals.ports import Person, RefundOrder
from approvals.quarantine import Quarantine
from approvals.testing import Fault
from db.engine import Database
from db.guards import statements
from db.repositories.refund_ledger import OrderMoney
from support_agents.domain.action import ProposedAction
from support_agents.domain.approval import ExecutionStatus, Mode, RequestStatus, Role
from support_agents.domain.errors import Failed, SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId, new_id
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund

LABELS = ("execution_intent", "mail_marker", "execution_result")
KINDS: dict[str, tuple[ProposedAction, str]] = {
    "refund": (refund(), "standard"),
    "mail": (REPLY, "standard"),
    "helpdesk": (REPLY, "zendesk"),
}


class CrashError(RuntimeError):
    """The process ends here."""


def effects(shop: Shop) -> int:
    comments = sum(len(ticket.comments) for ticket in shop.helpdesk.tickets.values())
    return len(shop.payments.booked) + len(shop.mail.sent) + comments


async def settle(shop: Shop, execution: ExecutionId) -> ExecutionStatus:
    """Let workers and reconciler do all they would do, time and again."""
    for _ in range(4):
        await shop.lapse(execution)
        await shop.executions.reconcile(execution)
        async with shop.database.write("due") as uow:
            found = await uow.executions.get(execution)
            assert found is not None
            await uow.executions.set(found, not_before=await uow.now() - timedelta(seconds=1))
        await shop.executions.carry_out(execution)
    return await shop.status(execution)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("kind", KINDS)
async def test_i3_a_crash_at_every_commit_leaves_one_effect(
    database_url: str, open_database: Callable[..., Database], kind: str, label: str, side: str
) -> None:
    armed = False

    def boundary(at: str, name: str) -> None:
        if armed and (at, name) == (side, label):
            raise CrashError

    proposed, source = KINDS[kind]
    shop = Shop(open_database(database_url, boundary))
    await shop.mode(Mode.REPLY)
    execution = await shop.approved(proposed, source=source)
    armed = True
    with suppress(CrashError):
        await shop.executions.carry_out(execution)
    armed = False
    survivor = replace(shop, database=open_database(database_url))
    end = await settle(survivor, execution)
    if end is ExecutionStatus.IN_DOUBT:
        assert kind == "mail"
        assert effects(survivor) <= 1
        assert (await survivor.execution(execution)).reason
    else:
        assert (end, effects(survivor)) == (ExecutionStatus.SUCCEEDED, 1)


@pytest.mark.parametrize("fault", [None, *Fault])
@pytest.mark.parametrize("kind", KINDS)
async def test_i3_no_fault_of_a_provider_makes_two_effects(shop: Shop, kind: str, fault: Fault | None) -> None:
    proposed, source = KINDS[kind]
    execution = await shop.approved(proposed, source=source)
    shop.call_limit = timedelta(milliseconds=150)
    coming = [] if fault is None else [fault, fault]
    shop.payments.faults.coming = shop.mail.faults.coming = shop.helpdesk.faults.coming = coming
    await asyncio.gather(*(shop.executions.carry_out(execution) for _ in range(3)))
    end = await settle(shop, execution)
    assert effects(shop) <= 1
    assert (end is ExecutionStatus.SUCCEEDED) <= (effects(shop) == 1)
    assert end is not ExecutionStatus.EXECUTING


async def test_i3_cancelling_races_carrying_out_and_one_wins(shop: Shop) -> None:
    execution = await shop.approved(refund())
    cancel = shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="test")
    _, cancelled = await asyncio.gather(shop.executions.carry_out(execution), cancel, return_exceptions=True)
    end = await shop.status(execution)
    assert (end, effects(shop)) in {(ExecutionStatus.SUCCEEDED, 1), (ExecutionStatus.CANCELLED, 0)}
    assert isinstance(cancelled, SupportError) is (end is ExecutionStatus.SUCCEEDED)


async def test_i3_what_was_taken_back_stays_so(shop: Shop) -> None:
    execution = await shop.approved(refund())
    await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="test", reason="wrong customer")
    assert await settle(shop, execution) is ExecutionStatus.CANCELLED
    assert effects(shop) == 0
    assert "wrong customer" in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")
    with pytest.raises(SupportError) as caught:
        await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="test")
    assert caught.value.code == "too_late"


async def test_i3_nothing_starts_within_the_undo_window(shop: Shop) -> None:
    shop.windows = type(shop.windows)(timedelta(minutes=1), timedelta(minutes=1))
    execution = await shop.approved(refund())
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SCHEDULED
    assert effects(shop) == 0
    async with shop.database.read() as uow:
        due = await uow.outbox.next_due()
        assert due is not None
        assert due > await uow.now() + timedelta(seconds=50)


async def test_i3_a_forgotten_execution_is_called_for_again(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.timing = replace(shop.timing, orphaned=timedelta())
    async with shop.database.write("lost") as uow:
        await uow.executions.due_handled(execution)
    assert await shop.executions.due_for_reconcile(10) == (execution,)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SCHEDULED
    assert await shop.executions.due_for_reconcile(10) == ()
    async with shop.database.read() as uow:
        assert await uow.outbox.next_due() is not None


async def restored(shop: Shop, *proposed: ProposedAction) -> tuple[ExecutionId, Person]:
    """An execution that a backup knows as scheduled, in a database that is then held back."""
    (request, *_) = await shop.proposed(*proposed)
    execution = await shop.approve(request, await shop.person("ben"))
    assert execution is not None
    await Quarantine(shop.database, shop.consequences).enter(DEFAULT_WORKSPACE, "behind its anchor")
    assert await shop.status(execution) is ExecutionStatus.IN_DOUBT
    return execution, await shop.person("ada", Role.ADMIN)


async def adopt(shop: Shop, admin: Person) -> None:
    await Quarantine(shop.database, shop.consequences).adopt(admin, epoch=new_id())


async def test_i3_a_restored_backup_repeats_no_refund(shop: Shop) -> None:
    execution, admin = await restored(shop, refund())
    action = (await shop.execution(execution)).action_id
    # What happened after the backup was made:
    await shop.payments.refund(RefundOrder(f"{action}.1", action, ORDER.payment_ref, ORDER.total))
    assert await shop.executions.reconcile(execution) is ExecutionStatus.IN_DOUBT  # held back
    await adopt(shop, admin)
    assert await shop.executions.reconcile_due() == 1
    assert await shop.status(execution) is ExecutionStatus.SUCCEEDED
    assert effects(shop) == 1
    async with shop.database.read() as uow:  # and the sums know of it
        money = OrderMoney(order_id=ORDER.order_id, paid=ORDER.total, refunded=ORDER.refunded)
        assert await uow.refund_ledger.left(DEFAULT_WORKSPACE, money) == 0


async def left_to_refund(shop: Shop) -> int:
    async with shop.database.read() as uow:
        money = OrderMoney(order_id=ORDER.order_id, paid=ORDER.total, refunded=ORDER.refunded)
        return await uow.refund_ledger.left(DEFAULT_WORKSPACE, money)


@pytest.mark.parametrize("status", [ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED])
async def test_i3_a_refund_of_a_restored_backup_that_a_person_settles_is_booked_if_it_happened(
    shop: Shop, status: ExecutionStatus
) -> None:
    execution, admin = await restored(shop, refund())
    await adopt(shop, admin)
    assert await left_to_refund(shop) == ORDER.total.minor
    await shop.executions.resolve(execution, person=admin, status=status, note="looked it up at the provider")
    assert await shop.status(execution) is status
    assert await left_to_refund(shop) == (0 if status is ExecutionStatus.SUCCEEDED else ORDER.total.minor)


async def test_i3_a_restored_refund_is_not_settled_while_its_order_cannot_be_read(shop: Shop) -> None:
    execution, admin = await restored(shop, refund())
    await adopt(shop, admin)
    shop.orders.failing = Failed("down", "maintenance", retryable=True)
    with pytest.raises(SupportError, match="maintenance"):
        await shop.executions.resolve(execution, person=admin, status=ExecutionStatus.SUCCEEDED, note="seen")
    assert await shop.status(execution) is ExecutionStatus.IN_DOUBT


async def test_i3_a_restored_backup_carries_out_what_never_happened(shop: Shop) -> None:
    execution, admin = await restored(shop, refund())
    await adopt(shop, admin)
    assert await settle(shop, execution) is ExecutionStatus.SUCCEEDED
    assert effects(shop) == 1


async def test_i3_a_restored_backup_sends_no_mail_by_itself(shop: Shop) -> None:
    execution, admin = await restored(shop, REPLY)
    await adopt(shop, admin)
    assert await settle(shop, execution) is ExecutionStatus.IN_DOUBT
    assert effects(shop) == 0
    assert "restored" in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")


async def test_i3_a_restored_backup_leaves_no_request_to_approve(shop: Shop) -> None:
    first, second = await shop.proposed(refund(), REPLY)
    await shop.approve(first, await shop.person("ben"))
    await Quarantine(shop.database, shop.consequences).enter(DEFAULT_WORKSPACE, "behind its anchor")
    assert (await shop.request(second)).status is RequestStatus.SUPERSEDED
    with pytest.raises(SupportError) as caught:
        await shop.approve(second, await shop.person("eva"))
    assert caught.value.code == "superseded"


async def test_i3_only_an_admin_adopts(shop: Shop) -> None:
    await restored(shop, refund())
    with pytest.raises(SupportError, match="admin"):
        await adopt(shop, await shop.person("mia", Role.MANAGER))


def test_i3_both_databases_have_the_same_guards() -> None:
    def names(dialect: str) -> set[str]:
        made = [statement.split() for statement in statements(dialect)]
        return {words[2] for words in made if words[1] == "TRIGGER"}

    assert names("sqlite") == names("postgresql")
    assert len(names("sqlite")) == 10

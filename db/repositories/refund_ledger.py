"""Rows of what may still be refunded per order; it never lets refunded, reserved and new exceed what was paid."""

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.base import database_now, table_of, upsert
from db.models.refund_ledger import OrderBalanceRow, RefundEntryRow, RefundEntryStatus
from support_agents.domain.ids import ActionId, ExecutionId, WorkspaceId, new_id
from support_agents.domain.money import Money

_BALANCES = table_of(OrderBalanceRow)
_ENTRIES = table_of(RefundEntryRow)
# From which states money comes to an end; an effect that was proved late is booked although its money was released.
_BECOMES = {
    RefundEntryStatus.BOOKED: {RefundEntryStatus.RESERVED, RefundEntryStatus.RELEASED},
    RefundEntryStatus.RELEASED: {RefundEntryStatus.RESERVED},
}


class OrderMoney(BaseModel):
    """What the order system says of an order's money, in one currency."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    paid: Money
    refunded: Money


class Reservation(BaseModel):
    """An approved refund's claim on an order's money."""

    model_config = ConfigDict(frozen=True)

    execution_id: ExecutionId
    action_id: ActionId
    amount: Money
    payment_ref: str = ""


class RefundLedger:
    """Reserve, book, release: always under the order row's lock."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def left(self, workspace: WorkspaceId, money: OrderMoney) -> int:
        """Minor units that could still be refunded; 0 for another currency. Locks nothing."""
        row = await self._balance(workspace, money.order_id, lock=False)
        return _left(row, money)

    async def reserve(self, workspace: WorkspaceId, money: OrderMoney, claim: Reservation) -> bool:
        """Reserve; False when the order has not that much left. A second time for one action changes nothing."""
        row = await self._locked(workspace, money)
        known = await self._entry(workspace, claim.action_id)
        if known is not None and known["status"] != RefundEntryStatus.RELEASED:
            return bool(known["amount_minor"] == claim.amount.minor)
        if claim.amount.currency != money.paid.currency or claim.amount.minor > _left(row, money):
            return False
        elsewhere = max(row["elsewhere_minor"], money.refunded.minor - row["booked_minor"])
        await self._change(row, elsewhere_minor=elsewhere, reserved_minor=row["reserved_minor"] + claim.amount.minor)
        await self._claim(workspace, row, claim, known)
        return True

    async def book(self, workspace: WorkspaceId, action_id: ActionId) -> None:
        """Turn what was reserved into refunded; what was released too early is taken again as far as there is room."""
        await self._settle(workspace, action_id, RefundEntryStatus.BOOKED)

    async def release(self, workspace: WorkspaceId, action_id: ActionId) -> None:
        """Give back what was reserved for a refund that did not happen."""
        await self._settle(workspace, action_id, RefundEntryStatus.RELEASED)

    async def give_back(self, workspace: WorkspaceId, action_id: ActionId) -> None:
        """Take back what was booked for a refund that its provider has let fail afterwards."""
        entry = await self._entry(workspace, action_id)
        if entry is None or entry["status"] != RefundEntryStatus.BOOKED:
            return
        query = select(_BALANCES).where(OrderBalanceRow.id == entry["balance_id"]).with_for_update(key_share=True)
        row = (await self._session.execute(query)).mappings().one()
        moved = await self._session.execute(
            update(_ENTRIES)
            .where(RefundEntryRow.id == entry["id"], RefundEntryRow.status == RefundEntryStatus.BOOKED)
            .values(status=RefundEntryStatus.RELEASED, settled_at=database_now())
            .returning(RefundEntryRow.id)
        )
        if moved.first() is not None:
            await self._change(row, booked_minor=max(0, row["booked_minor"] - entry["amount_minor"]))

    async def book_found(self, workspace: WorkspaceId, money: OrderMoney, claim: Reservation) -> None:
        """Book a refund that the provider proved although nothing is reserved for it (after a restore)."""
        if await self.reserve(workspace, money, claim):
            await self.book(workspace, claim.action_id)

    async def _claim(
        self, workspace: WorkspaceId, row: RowMapping, claim: Reservation, known: RowMapping | None
    ) -> None:
        values = {
            "execution_id": claim.execution_id,
            "amount_minor": claim.amount.minor,
            "currency": claim.amount.currency,
            "status": RefundEntryStatus.RESERVED,
            "payment_ref": claim.payment_ref,
            "settled_at": None,
        }
        if known is not None:
            await self._session.execute(update(_ENTRIES).where(RefundEntryRow.id == known["id"]).values(**values))
            return
        keys = {"id": new_id(), "workspace_id": workspace, "balance_id": row["id"], "action_id": claim.action_id}
        await self._session.execute(insert(_ENTRIES).values(**keys, **values))

    async def _settle(self, workspace: WorkspaceId, action_id: ActionId, to: RefundEntryStatus) -> None:
        entry = await self._entry(workspace, action_id)
        if entry is None or entry["status"] not in _BECOMES[to]:
            return
        query = select(_BALANCES).where(OrderBalanceRow.id == entry["balance_id"]).with_for_update(key_share=True)
        row = (await self._session.execute(query)).mappings().one()
        moved = await self._session.execute(
            update(_ENTRIES)
            .where(RefundEntryRow.id == entry["id"], RefundEntryRow.status == entry["status"])
            .values(status=to, settled_at=database_now())
            .returning(RefundEntryRow.id)
        )
        if moved.first() is None:
            return
        held = entry["amount_minor"] if entry["status"] == RefundEntryStatus.RESERVED else 0
        reserved = row["reserved_minor"] - held
        room = row["paid_minor"] - row["elsewhere_minor"] - row["booked_minor"] - reserved
        booked = min(entry["amount_minor"], room) if to is RefundEntryStatus.BOOKED else 0
        await self._change(row, reserved_minor=reserved, booked_minor=row["booked_minor"] + booked)

    async def _locked(self, workspace: WorkspaceId, money: OrderMoney) -> RowMapping:
        values = {
            "workspace_id": workspace,
            "order_id": money.order_id,
            "currency": money.paid.currency,
            "paid_minor": money.paid.minor,
            "elsewhere_minor": min(money.refunded.minor, money.paid.minor),
        }
        await self._session.execute(upsert(_BALANCES).values(id=new_id(), **values).on_conflict_do_nothing())
        row = await self._balance(workspace, money.order_id, lock=True)
        if row is None:
            raise LookupError("the order's balance vanished")
        return row

    async def _balance(self, workspace: WorkspaceId, order_id: str, *, lock: bool) -> RowMapping | None:
        query = select(_BALANCES).where(OrderBalanceRow.workspace_id == workspace, OrderBalanceRow.order_id == order_id)
        locking = query.with_for_update(key_share=True) if lock else query
        return (await self._session.execute(locking)).mappings().first()

    async def _entry(self, workspace: WorkspaceId, action_id: ActionId) -> RowMapping | None:
        query = select(_ENTRIES).where(RefundEntryRow.workspace_id == workspace, RefundEntryRow.action_id == action_id)
        return (await self._session.execute(query)).mappings().first()

    async def _change(self, row: RowMapping, **values: int) -> None:
        await self._session.execute(update(_BALANCES).where(OrderBalanceRow.id == row["id"]).values(**values))


def _left(row: RowMapping | None, money: OrderMoney) -> int:
    """What the order system says was refunded counts in full, unless it is what we booked ourselves."""
    if row is None:
        return max(0, money.paid.minor - money.refunded.minor)
    if row["currency"] != money.paid.currency:
        return 0
    paid: int = min(row["paid_minor"], money.paid.minor)
    refunded: int = max(row["elsewhere_minor"] + row["booked_minor"], money.refunded.minor)
    reserved: int = row["reserved_minor"]
    return max(0, paid - refunded - reserved)

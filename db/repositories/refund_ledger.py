"""Rows of what may still be refunded per order; it never lets refunded, reserved and new exceed what was paid."""

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping, bindparam, insert, select, update

from db.base import database_now, table_of, upsert
from db.models.refund_ledger import OrderBalanceRow, RefundEntryRow, RefundEntryStatus
from db.statements import Statements
from support_agents.domain.ids import ActionId, ExecutionId, WorkspaceId, new_id
from support_agents.domain.money import Money

_BALANCES = table_of(OrderBalanceRow)
_ENTRIES = table_of(RefundEntryRow)
_B, _E = _BALANCES.c, _ENTRIES.c
_NEW_BALANCE = upsert(_BALANCES).on_conflict_do_nothing()
_BALANCE = select(_BALANCES).where(_B.id == bindparam("wanted")).with_for_update(key_share=True)
_OF_ORDER = select(_BALANCES).where(_B.workspace_id == bindparam("workspace"), _B.order_id == bindparam("wanted"))
_OF_ORDER_LOCKED = _OF_ORDER.with_for_update(key_share=True)
_ENTRY = select(_ENTRIES).where(_E.workspace_id == bindparam("workspace"), _E.action_id == bindparam("wanted"))
_NEW_ENTRY = insert(_ENTRIES)
_END = (
    update(_ENTRIES)
    .where(_E.id == bindparam("seen_id"), _E.status == bindparam("seen_status"))
    .values(status=bindparam("new_status"), settled_at=database_now())
    .returning(_E.id)
)
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

    def __init__(self, session: Statements) -> None:
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
        row = await self._balance_of(entry)
        if await self._end(entry, RefundEntryStatus.RELEASED):
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
            await self._session.execute(update(_ENTRIES).where(_E.id == known["id"]).values(**values))
            return
        keys = {"id": new_id(), "workspace_id": workspace, "balance_id": row["id"], "action_id": claim.action_id}
        await self._session.execute(_NEW_ENTRY, {**keys, **values})

    async def _settle(self, workspace: WorkspaceId, action_id: ActionId, to: RefundEntryStatus) -> None:
        entry = await self._entry(workspace, action_id)
        if entry is None or entry["status"] not in _BECOMES[to]:
            return
        row = await self._balance_of(entry)
        if not await self._end(entry, to):
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
        await self._session.execute(_NEW_BALANCE, {"id": new_id(), **values})
        row = await self._balance(workspace, money.order_id, lock=True)
        if row is None:
            raise LookupError("the order's balance vanished")
        return row

    async def _balance(self, workspace: WorkspaceId, order_id: str, *, lock: bool) -> RowMapping | None:
        query = _OF_ORDER_LOCKED if lock else _OF_ORDER
        return (await self._session.execute(query, {"workspace": workspace, "wanted": order_id})).mappings().first()

    async def _balance_of(self, entry: RowMapping) -> RowMapping:
        """The entry's order, locked."""
        return (await self._session.execute(_BALANCE, {"wanted": entry["balance_id"]})).mappings().one()

    async def _end(self, entry: RowMapping, to: RefundEntryStatus) -> bool:
        """Compare-and-set the status seen in `entry`; False means that another was first."""
        seen = {"seen_id": entry["id"], "seen_status": entry["status"]}
        return (await self._session.execute(_END, seen | {"new_status": to})).first() is not None

    async def _entry(self, workspace: WorkspaceId, action_id: ActionId) -> RowMapping | None:
        return (await self._session.execute(_ENTRY, {"workspace": workspace, "wanted": action_id})).mappings().first()

    async def _change(self, row: RowMapping, **values: int) -> None:
        await self._session.execute(update(_BALANCES).where(_B.id == row["id"]).values(**values))


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

"""A payment gateway in a file of its own that behaves like a provider outside: it moves no real money, ever."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from approvals.ports import Absent, Found, Performed, Receipt, RefundOrder, Refused, Unknown
from support_agents.domain.ids import ActionId, new_id
from support_agents.domain.money import Money

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    ref TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    paid_minor INTEGER NOT NULL CHECK (paid_minor >= 0),
    refunded_before_minor INTEGER NOT NULL CHECK (refunded_before_minor BETWEEN 0 AND paid_minor)
) STRICT;
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    action TEXT NOT NULL,
    payment_ref TEXT NOT NULL REFERENCES payments (ref),
    currency TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0),
    booked_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
CREATE INDEX IF NOT EXISTS refunds_by_payment ON refunds (payment_ref, action);
"""
LEFT = """
SELECT currency, paid_minor - refunded_before_minor
    - (SELECT coalesce(sum(minor), 0) FROM refunds WHERE payment_ref = ref)
FROM payments WHERE ref = ?
"""
BUSY_SECONDS = 5.0
T = TypeVar("T")


@dataclass(frozen=True)
class Payment:
    """A payment as the shop took it, and what was refunded of it before this gateway knew it."""

    ref: str
    paid: Money
    refunded: Money


@dataclass(frozen=True)
class LedgerPaymentGateway:
    """Books refunds in SQLite at `path`; durable before it answers."""

    path: Path
    name: str = "ledger"

    @property
    def live(self) -> bool:
        """No real money moves."""
        return False

    async def record(self, payments: Iterable[Payment]) -> None:
        """Make payments known; those already known stay as they are."""
        rows = [(p.ref, p.paid.currency, p.paid.minor, p.refunded.minor) for p in payments]
        await asyncio.to_thread(self._record, rows)

    async def refund(self, order: RefundOrder) -> Performed:
        """Book once per key; the same key with other parameters, or more than is left, is refused."""
        return await self._answer(lambda: self._refund(order))

    async def find(self, payment_ref: str, action: ActionId) -> Found:
        """Look the action up in the file itself, behind every booking that was answered."""
        return await self._answer(lambda: self._find(payment_ref, action))

    async def booked(self, payment_ref: str) -> tuple[Money, ...]:
        """Return every refund of a payment, oldest first."""
        return await asyncio.to_thread(self._booked, payment_ref)

    async def _answer(self, work: Callable[[], T]) -> T | Unknown:
        try:
            return await asyncio.to_thread(work)
        except sqlite3.DatabaseError as error:
            return Unknown(f"the ledger did not answer: {error}")

    def _record(self, rows: list[tuple[str, str, int, int]]) -> None:
        with self._transaction() as connection:
            connection.executemany("INSERT INTO payments VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)

    def _refund(self, order: RefundOrder) -> Performed:
        told = (str(order.action), order.payment_ref, order.amount.currency, order.amount.minor)
        with self._transaction() as connection:
            query = "SELECT action, payment_ref, currency, minor, id FROM refunds WHERE key = ?"
            known = connection.execute(query, (order.key,)).fetchone()
            if known is not None:
                same = tuple(known[:4]) == told
                return Receipt(known[4]) if same else Refused("key_reused", "the key was used with other parameters")
            refusal = _refusal(connection.execute(LEFT, (order.payment_ref,)).fetchone(), order.amount)
            if refusal is not None:
                return refusal
            reference = f"ledger-{new_id()}"
            connection.execute(
                "INSERT INTO refunds (id, key, action, payment_ref, currency, minor) VALUES (?, ?, ?, ?, ?, ?)",
                (reference, order.key, *told),
            )
        return Receipt(reference)

    def _find(self, payment_ref: str, action: ActionId) -> Receipt | Absent:
        with self._transaction() as connection:
            query = "SELECT id FROM refunds WHERE payment_ref = ? AND action = ?"
            row = connection.execute(query, (payment_ref, str(action))).fetchone()
        return Absent() if row is None else Receipt(row[0])

    def _booked(self, payment_ref: str) -> tuple[Money, ...]:
        with self._transaction() as connection:
            query = "SELECT minor, currency FROM refunds WHERE payment_ref = ? ORDER BY booked_at, id"
            rows = connection.execute(query, (payment_ref,)).fetchall()
        return tuple(Money(minor=minor, currency=currency) for minor, currency in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One write-locked transaction on a connection of its own: committed, synced, closed."""
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.executescript(SCHEMA)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def _refusal(payment: tuple[str, int] | None, amount: Money) -> Refused | None:
    if payment is None:
        return Refused("unknown_payment", "no such payment")
    currency, left = payment
    if currency != amount.currency:
        return Refused("wrong_currency", f"the payment was made in {currency}")
    if amount.minor <= 0:
        return Refused("bad_amount", "a refund is more than nothing")
    return None if amount.minor <= left else Refused("too_much", "more than is left of what was paid")

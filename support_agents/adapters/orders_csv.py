"""Orders from a CSV file; says nothing about an order to anyone but its own, authenticated customer."""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pydantic import ValidationError

from support_agents.domain.errors import Failed, Ok, SupportError
from support_agents.domain.money import Money
from support_agents.domain.orders import NotTheirs, OrderFacts, UnknownOrder
from support_agents.domain.ticket import Requester
from support_agents.ports import Clock

COLUMNS = [
    "order_id",
    "email",
    "name",
    "status",
    "item",
    "quantity",
    "placed_on",
    "shipped_on",
    "delivered_on",
    "carrier",
    "tracking",
    "total_minor",
    "refunded_minor",
    "currency",
    "payment_ref",
    "account_last4",
]
OPTIONAL = ("instrument", "customer_tier")
_REQUIRED = frozenset({"order_id", "email", "status", "item", "placed_on", "total_minor", "currency", "payment_ref"})


@dataclass(frozen=True)
class OrderRow:
    """A row of the file: whose order it is, and the facts."""

    email: str
    facts: OrderFacts


@dataclass(frozen=True)
class OrderBook:
    """All orders of one state of the file, with the ways people write their numbers."""

    rows: tuple[OrderRow, ...]
    by_key: Mapping[str, tuple[OrderRow, ...]]

    @classmethod
    def of(cls, rows: tuple[OrderRow, ...]) -> "OrderBook":
        """Index rows by their whole number and by its digits."""
        by_key: dict[str, tuple[OrderRow, ...]] = {}
        for row in rows:
            for key in {_whole(row.facts.order_id), _digits(row.facts.order_id)} - {""}:
                by_key[key] = (*by_key.get(key, ()), row)
        return cls(rows, by_key)

    def find(self, order_id: str) -> OrderRow | None:
        """Match the whole number, or digits alone where they fit exactly one order."""
        whole = _whole(order_id)
        exact = [row for row in self.by_key.get(whole, ()) if _whole(row.facts.order_id) == whole]
        candidates = exact or (self.by_key.get(whole, ()) if whole.isdigit() else ())
        return candidates[0] if len(candidates) == 1 else None


@dataclass
class CsvOrderLookup:
    """`OrderLookup` over a CSV file, read again when it changes; dates are ISO or days relative to today (`-12`)."""

    path: Path
    clock: Clock
    _state: tuple[int, int, int, date] | None = field(default=None, init=False)
    _book: OrderBook = field(default_factory=lambda: OrderBook.of(()), init=False)

    async def find(self, order_id: str, requester: Requester) -> Ok[OrderFacts] | NotTheirs | UnknownOrder | Failed:
        """Facts only for the authenticated requester whose e-mail address the order has."""
        if not requester.verified:
            return NotTheirs(order_id)
        try:
            row = self._current().find(order_id)
        except SupportError as error:
            return Failed(error.code, error.message)
        if row is None:
            return UnknownOrder(order_id)
        return Ok(row.facts) if row.email == _mailbox(requester.email) else NotTheirs(order_id)

    async def list_theirs(self, requester: Requester) -> Ok[tuple[OrderFacts, ...]] | Failed:
        """All orders of an authenticated requester, newest first; none for anyone else."""
        if not requester.verified:
            return Ok(())
        try:
            rows = self._current().rows
        except SupportError as error:
            return Failed(error.code, error.message)
        mailbox = _mailbox(requester.email)
        theirs = [row.facts for row in rows if row.email == mailbox]
        return Ok(tuple(sorted(theirs, key=lambda facts: facts.placed_on, reverse=True)))

    def check(self) -> int:
        """Read the file now and return the number of orders; raises `SupportError` naming line and column."""
        return len(self._current().rows)

    def _current(self) -> OrderBook:
        today = self.clock.now().date()
        try:
            stat = self.path.stat()
            # A file put in the place of another within one tick of the clock differs from it by its inode alone.
            state = (stat.st_mtime_ns, stat.st_size, stat.st_ino, today)
            if state != self._state:
                self._book = OrderBook.of(read_orders(self.path, today))
                self._state = state
        except OSError as error:
            raise SupportError("orders_unreadable", f"{self.path}: {error.strerror}", retryable=True) from error
        return self._book


def read_orders(path: Path, today: date) -> tuple[OrderRow, ...]:
    """Read the whole file; the first broken cell raises `SupportError` naming file, line and column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SupportError("orders_invalid", f"{path}: not UTF-8 text") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise SupportError("orders_invalid", f"{path}: line 1: column {missing[0]} is missing")
    rows: dict[str, OrderRow] = {}
    for cells in reader:
        row = _Cells(path, reader.line_num, cells, today).row()
        if _whole(row.facts.order_id) in rows:
            raise SupportError("orders_invalid", f"{path}: line {reader.line_num}: order_id stands twice")
        rows[_whole(row.facts.order_id)] = row
    return tuple(rows.values())


@dataclass(frozen=True)
class _Cells:
    """One line of the file, read cell by cell."""

    path: Path
    line: int
    cells: Mapping[str, str | None]
    today: date

    def row(self) -> OrderRow:
        currency = self.text("currency").upper()
        values = {
            "order_id": self.text("order_id"),
            "status": self.text("status").lower(),
            "item": self.text("item"),
            "quantity": self.number("quantity", default=1),
            "placed_on": self.day("placed_on"),
            "shipped_on": self.day("shipped_on"),
            "delivered_on": self.day("delivered_on"),
            "carrier": self.text("carrier") or None,
            "tracking": self.text("tracking") or None,
            "total": self.money("total_minor", currency),
            "refunded": self.money("refunded_minor", currency),
            "payment_ref": self.text("payment_ref"),
            "account_last4": self.text("account_last4"),
            **{column: self.text(column) for column in OPTIONAL},
        }
        # Of the cells, not of the days they mean: an order given relative to today does not change at midnight.
        cells = [self.cells.get(column) for column in COLUMNS] + [self.cells[o] for o in OPTIONAL if self.cells.get(o)]
        version = hashlib.sha256(repr(cells).encode()).hexdigest()[:16]
        try:
            return OrderRow(_mailbox(self.text("email")), OrderFacts.model_validate({**values, "version": version}))
        except ValidationError as error:
            first = error.errors()[0]
            raise self.broken(str(first["loc"][0]), first["msg"]) from error

    def text(self, column: str) -> str:
        value = (self.cells.get(column) or "").strip()
        if not value and column in _REQUIRED:
            raise self.broken(column, "is empty")
        return value

    def number(self, column: str, *, default: int) -> int:
        value = self.text(column)
        if not value:
            return default
        if not value.isascii() or not value.isdigit():
            raise self.broken(column, f"“{value}” is not a whole number")
        return int(value)

    def money(self, column: str, currency: str) -> Money:
        minor = self.number(column, default=0)
        try:
            return Money(minor=minor, currency=currency)
        except ValidationError as error:
            raise self.broken("currency", f"“{currency}” is not a three-letter code") from error

    def day(self, column: str) -> date | None:
        value = self.text(column)
        if not value:
            return None
        try:
            return self.today + timedelta(days=int(value)) if _is_offset(value) else date.fromisoformat(value)
        except ValueError as error:
            raise self.broken(column, f"“{value}” is neither a date nor a number of days") from error

    def broken(self, column: str, problem: str) -> SupportError:
        return SupportError("orders_invalid", f"{self.path}: line {self.line}: {column} {problem}")


def _is_offset(value: str) -> bool:
    return value.lstrip("+-").isdigit() and len(value) < len("20261122")


def _whole(order_id: str) -> str:
    return "".join(c for c in order_id.casefold() if c.isalnum())


def _digits(order_id: str) -> str:
    return "".join(c for c in order_id if c.isdigit())


def _mailbox(email: str) -> str:
    """Case aside, for ASCII only: to fold more would make one customer of two (`strasse.example`, `straße.example`)."""
    bare = email.strip()
    return bare.lower() if bare.isascii() else bare

"""Inserts any number of rows by one statement whose text never changes; which rows, and why, is its callers' affair."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Table, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import Insert

from db.base import upsert
from db.made import made
from db.statements import Given, Statements

Rows = Sequence[Mapping[str, Any]]


class ManyRows:
    """An INSERT of these columns; `unless_there` names a unique key whose rows stay as they are.

    On PostgreSQL the values travel as one array per column: a list of VALUES would be another statement for every
    number of rows, taken apart and planned anew each time. SQLite has no arrays and needs none: nothing travels. One
    row, which is the rule, is a statement that is made once there.
    """

    def __init__(self, table: Table, columns: Sequence[str], *, unless_there: Sequence[str] = ()) -> None:
        self._columns = tuple(columns)
        self._values = made(_keeping(upsert(table), unless_there))
        self._arrays = made(_keeping(_from_arrays(table, self._columns), unless_there))
        key = next(iter(table.primary_key.columns))
        self._values_returning = made(self._values.returning(key))
        self._arrays_returning = made(self._arrays.returning(key))

    async def insert(self, session: Statements, rows: Rows) -> None:
        """Insert all."""
        if session.backend == "sqlite":
            await session.execute(self._values, _given(rows))
        else:
            await session.later(self._arrays, self._by_column(rows))

    async def inserted(self, session: Statements, rows: Rows) -> frozenset[Any]:
        """Insert those that are not there, of equal ones the first, and return their ids."""
        if session.backend == "sqlite":
            result = await session.execute(self._values_returning, _given(rows))
        else:
            result = await session.execute(self._arrays_returning, self._by_column(rows))
        return frozenset(result.scalars())

    def _by_column(self, rows: Rows) -> dict[str, list[Any]]:
        return {name: [row[name] for row in rows] for name in self._columns}


def _given(rows: Rows) -> Given:
    return rows[0] if len(rows) == 1 else list(rows)


def _keeping(insert: Insert, unless_there: Sequence[str]) -> Insert:
    return insert.on_conflict_do_nothing(index_elements=unless_there) if unless_there else insert


def _from_arrays(table: Table, columns: Sequence[str]) -> Insert:
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in columns]
    columns_of_row = [column(name, table.c[name].type) for name in columns]
    row = func.unnest(*arrays).table_valued(*columns_of_row).render_derived()
    return upsert(table).from_select(columns, select(*row.c), include_defaults=False)

"""Statements that are made once, and what a database is told of them; it sends none."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

import psycopg
from sqlalchemy import Column, Executable
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Dialect, IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Statement = TypeVar("Statement", bound=Executable)
Processor = Callable[[Any], Any]
Values = Mapping[str, Any]

POSTGRESQL: Dialect = PGDialect_psycopg(paramstyle="numeric_dollar", dbapi=psycopg)  # type: ignore[no-untyped-call]
SQLITE: Dialect = SQLiteDialect(paramstyle="qmark")
_NAMED: Dialect = PGDialect_psycopg(dbapi=psycopg)  # type: ignore[no-untyped-call]


class Plan:
    """A statement as it travels: its text with `$1` or `?`, where its values come from, what becomes of its rows."""

    def __init__(self, statement: Executable, names: Sequence[str], dialect: Dialect) -> None:
        compiled = _compiled(statement, names, dialect)
        self.statement, self._names = statement, names
        self.text = compiled.string
        self.sql = self.text.encode()
        defaults = {column.key: column for column in compiled.insert_prefetch}
        self._order = tuple(compiled.positiontup or ())
        self._taken = [_Taken.of(compiled, name, defaults) for name in self._order]
        columns = list(getattr(statement, "exported_columns", ()))
        self._shape = SimpleResultMetaData([column.key for column in columns])
        processors = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._processors = [(at, each) for at, each in enumerate(processors) if each is not None]

    @cached_property
    def told(self) -> str:
        """The text as PostgreSQL would be sent it with named values, for errors and for those who listen."""
        return str(_compiled(self.statement, self._names, _NAMED).string)

    def values(self, given: Values) -> list[Any]:
        """The values in the order of the text."""
        found = []
        for name, process, otherwise in self._taken:
            value = given[name] if otherwise is None or name in given else otherwise()
            found.append(value if process is None else process(value))
        return found

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """The values by their names in `told`."""
        return dict(zip(self._order, values, strict=True))

    def result(self, rows: list[tuple[Any, ...]]) -> Result[*tuple[Any, ...]]:
        """The rows as SQLAlchemy would give them out."""
        return IteratorResult(self._shape, iter(map(self._processed, rows) if self._processors else rows))

    def _processed(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = [*row]
        for at, process in self._processors:
            values[at] = process(values[at])
        return tuple(values)


class _Taken(NamedTuple):
    """Where one value comes from: what is given by name, or else what the statement or its column says."""

    name: str
    process: Processor | None
    otherwise: Callable[[], Any] | None

    @classmethod
    def of(cls, compiled: SQLCompiler, name: str, defaults: Mapping[str, Column[Any]]) -> "_Taken":
        bind = compiled.binds[name]
        process = bind.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
        if name in defaults:
            return cls(bind.key, process, _default(defaults[name]))
        if bind.required:
            return cls(bind.key, process, None)
        return cls(bind.key, process, lambda: bind.effective_value)


class _Made:
    """A statement's plans for each database and set of names that is given: an INSERT is of the columns it is given."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._plans: dict[tuple[str, ...], Plan] = {}

    def plan(self, given: Values, dialect: Dialect) -> Plan:
        names = (dialect.name, *given)
        found = self._plans.get(names)
        if found is None:
            found = self._plans[names] = Plan(self._statement, names[1:], dialect)
        return found


_MADE: dict[Executable, _Made] = {}


def made(statement: Statement) -> Statement:
    """Have a constant statement travel without being looked at anew; only for constants of a module.

    It binds single values by name: no lists to be expanded, no columns whose default is SQL that we would have to read.
    """
    _MADE[statement] = _Made(statement)
    return statement


def plan_of(statement: Executable, given: Values, dialect: Dialect) -> Plan | None:
    """How it travels to a database, or None where it was not made once."""
    found = _MADE.get(statement)
    return None if found is None else found.plan(given, dialect)


def _default(column: Column[Any]) -> Callable[[], Any]:
    """The column's own default, which SQLAlchemy would have put in."""
    default = column.default
    if default is None or not (default.is_scalar or default.is_callable):
        raise TypeError(f"the default of {column} is no plain value: give it, or do not make the statement once")
    argument = default.arg  # type: ignore[attr-defined] # scalar or callable, as asked above
    return (lambda: argument) if default.is_scalar else (lambda: argument(None))


def _compiled(statement: Executable, names: Sequence[str], dialect: Dialect) -> SQLCompiler:
    compiled = cast("ClauseElement", statement).compile(dialect=dialect, column_keys=list(names) or None)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError(f"no statement on rows: {compiled}")
    if compiled.post_compile_params or compiled.literal_execute_params or compiled.update_prefetch:
        raise TypeError(f"cannot be made once, for it changes with what it is given: {compiled}")
    return compiled

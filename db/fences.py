"""Which workspaces the present work may see; PostgreSQL enforces it on every row, whatever a query forgot to ask.

It is the second lock, beside the queries' own conditions (`db.row_security`). SQLite has the first only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId


class Across(StrEnum):
    """Why a unit of work belongs to no single workspace; there are no other reasons."""

    DISPATCH = "dispatch"  # outbox rows are claimed, held, sent and counted in the order in which they are due
    UPKEEP = "upkeep"  # what is due by the clock is looked for everywhere
    SIGN_IN = "sign_in"  # whose token it is says which workspace it opens
    MIGRATION = "migration"  # rows are brought to a new schema


@dataclass(frozen=True)
class Fence:
    """What a unit of work sees: the rows of these workspaces, or for a reason those of all."""

    workspaces: frozenset[WorkspaceId] = frozenset()
    across: Across | None = None

    @property
    def statement(self) -> str:
        """What tells PostgreSQL, for the rest of the transaction; ids and names of ours, nothing from outside."""
        if self.across is not None:
            return f"SET LOCAL app.across = '{self.across.value}'"
        return f"SET LOCAL app.workspace = '{','.join(sorted(str(each) for each in self.workspaces))}'"


def of(*workspaces: WorkspaceId) -> Fence:
    """The fence around these."""
    return Fence(frozenset(workspaces))


DISPATCH = Fence(across=Across.DISPATCH)
UPKEEP = Fence(across=Across.UPKEEP)
SIGN_IN = Fence(across=Across.SIGN_IN)

_DEFAULT = of(DEFAULT_WORKSPACE)
# Whoever does not say whose work it is works for the default workspace: a forgotten fence shows too little, never more.
_PRESENT: ContextVar[Fence] = ContextVar("fence", default=_DEFAULT)


def present() -> Fence:
    """The fence of the present task."""
    return _PRESENT.get()


def enter(workspace: WorkspaceId) -> None:
    """Have the rest of this task, such as a request whose caller is known now, see one workspace."""
    _PRESENT.set(of(workspace))


@contextmanager
def behind(fence: Fence) -> Iterator[None]:
    """Units of work that begin in here stand behind this fence, unless they name one of their own."""
    token = _PRESENT.set(fence)
    try:
        yield
    finally:
        _PRESENT.reset(token)

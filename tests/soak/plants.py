"""Breaks to plant in the product, so that what looks for breaks can be seen to find them; for tests only."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals import outcome, queue
from approvals.execution import Executions
from approvals.lifecycle import ExecutionTrigger
from approvals.outcome import Result
from approvals.ports import Absent, Performed, Unknown
from approvals.reconciling import Reconciling
from db.repositories.executions import Executions as ExecutionRows
from db.repositories.outbox import Outbox
from db.repositories.tickets import Tickets
from support_agents.domain.events import EventName

Plant = Callable[[pytest.MonkeyPatch], None]


def unknown_taken_for_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    right = outcome.result_of

    def wrong(performed: Performed) -> Result:
        refused = Result(ExecutionTrigger.REFUSED, reason="no")
        return refused if isinstance(performed, Unknown) else right(performed)

    monkeypatch.setattr(outcome, "result_of", wrong)


def a_blind_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    async def absent(*_: object) -> tuple[Absent, None]:
        return Absent(), None

    async def unknown(*_: object) -> None:
        return None

    monkeypatch.setattr(Reconciling, "_ask", absent)
    monkeypatch.setattr(Executions, "_known", unknown)


def mail_without_its_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def said_but_not_written(*_: object) -> bool:
        return True

    monkeypatch.setattr(ExecutionRows, "mark", said_but_not_written)


def a_person_who_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> None:
        return None

    monkeypatch.setattr(Tickets, "needs_person", silent)


def an_execution_that_nobody_calls_for(monkeypatch: pytest.MonkeyPatch) -> None:
    right, calls = Outbox.add, iter(range(1_000_000))

    async def forgetful(outbox: Outbox, name: EventName, *subject: Any, **how: Any) -> object:
        forgotten = name is EventName.EXECUTION_DUE and next(calls) % 5 == 0
        return None if forgotten else await right(outbox, name, *subject, **how)

    async def none(*_: object, **__: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(Outbox, "add", forgetful)
    monkeypatch.setattr(ExecutionRows, "orphaned", none)


def an_approval_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def fine(*_: object) -> None:
        return None

    monkeypatch.setattr(queue, "require_not_own", fine)

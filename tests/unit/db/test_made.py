"""A statement that is made once travels as SQLAlchemy would send it, or says why it cannot."""

from uuid import UUID

import pytest
from sqlalchemy import bindparam, insert, select, text

from db.base import table_of
from db.made import POSTGRESQL, SQLITE, made, plan_of
from db.models.outbox import OutboxRow
from db.models.workspaces import WorkspaceRow

OUTBOX, WORKSPACES = table_of(OutboxRow), table_of(WorkspaceRow)
ID = UUID(int=7)


def test_values_stand_in_the_order_of_the_text_and_once_each() -> None:
    statement = made(select(OUTBOX.c.id).where(OUTBOX.c.subject == bindparam("b"), OUTBOX.c.id > bindparam("b")))
    plan = plan_of(statement, {"b": ID}, POSTGRESQL)
    assert plan is not None
    assert plan.values({"b": ID}) == [ID]
    assert b"$1" in plan.sql
    assert b"$2" not in plan.sql
    assert "%(b)s" in plan.told


def test_for_sqlite_every_place_has_its_value() -> None:
    statement = made(select(OUTBOX.c.id).where(OUTBOX.c.subject == bindparam("b"), OUTBOX.c.id > bindparam("b")))
    plan = plan_of(statement, {"b": ID}, SQLITE)
    assert plan is not None
    assert plan.text.count("?") == 2
    assert plan.values({"b": ID}) == [ID.hex, ID.hex]
    assert plan.result([(ID.hex,)]).scalar_one() == ID
    assert plan_of(statement, {"b": ID}, POSTGRESQL) is not plan


def test_columns_that_are_not_given_have_their_defaults() -> None:
    statement = made(insert(OUTBOX))
    given = {"workspace_id": ID, "name": "ticket_received", "subject": ID}
    plan = plan_of(statement, given, POSTGRESQL)
    assert plan is not None
    named = plan.named(plan.values(given))
    assert isinstance(named["id"], UUID)
    assert named["attempts"] == 0
    assert named["id"] != plan.named(plan.values(given))["id"]


def test_other_names_are_another_text() -> None:
    statement = made(insert(WORKSPACES))
    few, more = ({"id": ID, "name": "a"}, {"id": ID, "name": "a", "mode": "draft"})
    first, second = plan_of(statement, few, POSTGRESQL), plan_of(statement, more, POSTGRESQL)
    assert first is not None
    assert second is not None
    assert b"mode" in second.sql
    assert plan_of(statement, few, POSTGRESQL) is first


def test_a_value_that_is_missing_is_an_error() -> None:
    statement = made(select(OUTBOX.c.id).where(OUTBOX.c.subject == bindparam("b")))
    plan = plan_of(statement, {}, POSTGRESQL)
    assert plan is not None
    with pytest.raises(KeyError, match="b"):
        plan.values({})


def test_a_statement_that_changes_with_its_values_cannot_be_made_once() -> None:
    statement = made(select(OUTBOX.c.id).where(OUTBOX.c.name.in_(bindparam("names", expanding=True))))
    with pytest.raises(TypeError, match="cannot be made once"):
        plan_of(statement, {"names": ["a"]}, POSTGRESQL)


def test_what_was_not_made_has_no_plan() -> None:
    assert plan_of(text("SELECT 1"), {}, POSTGRESQL) is None

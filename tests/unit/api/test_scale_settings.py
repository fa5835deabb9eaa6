"""What a broker needs beside it, and which processes belong to which way of working."""

from typing import Any

import pytest

from api import settings
from api.choices import Role
from support_agents.domain.errors import SupportError

POSTGRES = "postgresql+psycopg://u@127.0.0.1/support"
KEY = "k" * 32


def shared(**more: Any) -> settings.Settings:
    given = {"broker_url": "redis://127.0.0.1/0", "database_url": POSTGRES, "secret_key": KEY}
    return settings.load({**given, **more})


def test_a_broker_with_postgresql_and_a_common_key_is_fine() -> None:
    found = shared()
    assert found.distributed
    assert "redis" not in repr(found)  # an address may hold a password


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"database_url": ""}, "an SQLite file belongs to one process"),
        ({"database_url": "sqlite+aiosqlite:////tmp/a.db"}, "SUPPORT_DATABASE_URL=postgresql"),
        ({"secret_key": None}, "SUPPORT_SECRET_KEY is needed"),
        ({"broker_url": "sqs://queue"}, "redis://host:6379/0"),
        ({"broker_url": "memory://"}, "amqp://"),
        ({"database_direct_url": "mysql://x"}, "postgresql\\+psycopg"),
        ({"broker_prefix": "a b"}, "BROKER_PREFIX"),
    ],
)
def test_what_could_only_fail_later_is_refused_with_what_to_set(more: dict[str, object], said: str) -> None:
    with pytest.raises(SupportError, match=said):
        shared(**more)


def test_an_empty_variable_is_no_broker() -> None:
    assert not settings.load({"broker_url": ""}).distributed


def test_serve_is_for_one_process_and_the_others_for_many() -> None:
    with pytest.raises(SupportError, match="support-agents api"):
        shared().check_role(Role.SERVE)
    for role in (Role.API, Role.WORKER, Role.RELAY, Role.SCHEDULER):
        shared().check_role(role)
        with pytest.raises(SupportError, match="support-agents serve"):
            settings.load({}).check_role(role)
    settings.load({}).check_role(Role.SERVE)

"""The migration that lets sessions come from Slack keeps the ones that are there, and every guard around them."""

from pathlib import Path
from uuid import UUID

from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from db.upgrade import _config, upgrade

WORKSPACE = UUID("00000000-0000-7000-8000-000000000001").hex
OPERATOR, SESSION = "0" * 31 + "1", "0" * 31 + "2"
NOW = "2026-01-01T00:00:00.000000Z"


def test_sessions_stay_where_they_are(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
    command.upgrade(_config(url), "0006")
    engine = create_engine(make_url(url).set(drivername="sqlite"), poolclass=NullPool)
    with engine.begin() as old:
        old.execute(
            text(
                "INSERT INTO operators (id, workspace_id, email, email_hash, name, role)"
                " VALUES (:o,:w,'e','h','n','admin')"
            ),
            {"o": OPERATOR, "w": WORKSPACE},
        )
        old.execute(
            text(
                "INSERT INTO sessions (id, workspace_id, operator_id, origin, token_hash, rotated_at, csrf_secret,"
                " seen_at, idle_until, expires_at) VALUES (:s,:w,:o,'password','t',:n,'c',:n,:n,:n)"
            ),
            {"s": SESSION, "o": OPERATOR, "w": WORKSPACE, "n": NOW},
        )
        before = old.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    upgrade(url)
    with engine.begin() as new:
        assert new.execute(text("SELECT id, origin, created_at IS NULL FROM sessions")).all() == [
            (SESSION, "password", 0)
        ]
        after = new.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        assert set(before) <= set(after)
        assert new.execute(text("PRAGMA foreign_key_check")).all() == []
        referring = "SELECT sql FROM sqlite_master WHERE name = 'decisions'"
        assert "REFERENCES sessions" in new.execute(text(referring)).scalar_one()
        new.execute(text("UPDATE sessions SET origin = 'slack'"))

"""One installation of real processes for each broker that answers, with the demo shop's content."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from db.upgrade import upgrade
from tests.fixtures.brokers import broker_address, forget
from tests.fixtures.database import POSTGRES
from tests.peers.beside import beside
from tests.peers.cuttable import Cuttable, proxied
from tests.peers.processes import Processes, processes
from tests.peers.product import OPERATOR, PASSWORD, WHSEC
from tests.peers.smtp_sink import SmtpSink, listening

SHOP = Path(__file__).parents[3] / "api" / "demo" / "shop"


@dataclass
class House:
    """The installation, its broker behind a proxy, its mail, and its books."""

    processes: Processes
    proxy: Cuttable
    mail: SmtpSink
    broker_url: str
    prefix: str
    database_url: str

    def rows(self, query: str, *given: object) -> list[dict[str, Any]]:
        """What the database says, beside the product."""
        conninfo = self.database_url.replace("+psycopg", "")
        with psycopg.connect(conninfo, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), given).fetchall()


def _administer(statement: sql.Composed) -> None:
    with psycopg.connect(POSTGRES.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


def _drop(name: str) -> None:
    _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _url(name: str) -> str:
    return f"{POSTGRES.rsplit('/', 1)[0]}/{name}".replace("postgresql://", "postgresql+psycopg://", 1)


def _environment(database: str, broker: str, prefix: str) -> dict[str, str]:
    return {
        "SUPPORT_DATABASE_URL": _url(database),
        "SUPPORT_BROKER_URL": broker,
        "SUPPORT_BROKER_PREFIX": prefix,
        "SUPPORT_MODE": "reply",
        "SUPPORT_STANDARD_WEBHOOK_SECRETS": WHSEC,
        "SUPPORT_ORDERS_CSV": str(SHOP / "orders.csv"),
        "SUPPORT_POLICY": str(SHOP / "policy.yaml"),
        "SUPPORT_KNOWN_VECTORS": str(SHOP / "vectors.npz"),
        "SUPPORT_SMTP_HOST": "127.0.0.1",
        "SUPPORT_SMTP_STARTTLS": "false",
        "SUPPORT_SMTP_FROM_ADDRESS": "support@shop.example",
        "SUPPORT_UNDO_REPLY_SECONDS": "0.2",
        "SUPPORT_UNDO_REFUND_SECONDS": "0.2",
        # What is tested is who does the work, not how fast a busy machine thinks.
        "SUPPORT_DEADLINE_SECONDS": "12",
        "SUPPORT_RESUMED_SECONDS": "10",
        "SUPPORT_STAGES__UNDERSTANDING": "5",
        "SUPPORT_STAGES__RETRIEVAL": "5",
        "SUPPORT_STAGES__DRAFTING": "8",
    }


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A database and a data folder with articles and one operator, made once; no broker is needed for that."""
    if not POSTGRES:
        pytest.skip("needs SUPPORT_TEST_POSTGRES_URL")
    name, folder = f"support_shop_{uuid4().hex[:10]}", tmp_path_factory.mktemp("furnished") / "data"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    upgrade(_url(name))
    with processes(folder, _environment(name, "redis://127.0.0.1:9/0", "none")) as made:
        made.command("kb", "sync", str(SHOP / "articles"))
        made.command("operators", "add", OPERATOR, "--role", "admin", "--password-stdin", stdin=PASSWORD)
    yield name, folder
    _drop(name)


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def house(
    request: pytest.FixtureRequest, furnished: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """An API, a worker, a relay and a scheduler, all running."""
    url, prefix = broker_address(request.param), f"house-{uuid4().hex[:10]}"
    template, filled = furnished
    name = f"support_house_{uuid4().hex[:10]}"
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _administer(clone.format(sql.Identifier(name), sql.Identifier(template)))
    folder = Path(shutil.copytree(filled, tmp_path_factory.mktemp(request.param) / "data"))
    parts = urlsplit(url)
    proxy, mail = Cuttable(parts.hostname or "", parts.port or 0), SmtpSink()
    try:
        with beside(listening(mail)), beside(proxied(proxy)):
            environment = {**_environment(name, proxy.through(url), prefix), "SUPPORT_SMTP_PORT": str(mail.port)}
            with processes(folder, environment) as made:
                made.start()
                yield House(made, proxy, mail, url, prefix, _url(name))
    finally:
        forget(url, prefix)
        _drop(name)

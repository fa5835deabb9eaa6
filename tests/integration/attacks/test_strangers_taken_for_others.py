"""Folding more than ASCII, and comparing beginnings, took one address for another (I6, local token)."""

from pathlib import Path

import pytest

from api.auth import is_loopback
from support_agents.adapters.clock import SystemClock
from support_agents.adapters.orders_csv import COLUMNS, CsvOrderLookup
from support_agents.domain.errors import Ok
from support_agents.domain.orders import NotTheirs
from support_agents.domain.ticket import Requester

ROW = "A-1,{email},Ann,delivered,Kettle,1,2026-11-01,,,,,4990,0,EUR,pay-1,4242"


def orders(folder: Path, email: str) -> CsvOrderLookup:
    path = folder / "orders.csv"
    path.write_text(",".join(COLUMNS) + "\n" + ROW.format(email=email) + "\n", encoding="utf-8")
    return CsvOrderLookup(path, SystemClock())


@pytest.mark.parametrize(
    ("owner", "stranger"),
    [
        ("ann@straße.example", "ann@strasse.example"),
        ("ann@strasse.example", "ann@straße.example"),
        ("kate@shop.example", "\u212aate@shop.example"),
        ("susan@shop.example", "\u017fusan@shop.example"),
    ],
)
async def test_an_order_is_given_to_nobody_of_a_similar_address(tmp_path: Path, owner: str, stranger: str) -> None:
    lookup = orders(tmp_path, owner)
    assert isinstance(await lookup.find("A-1", Requester(email=stranger, verified=True)), NotTheirs)
    assert isinstance(await lookup.find("A-1", Requester(email=owner, verified=True)), Ok)


async def test_the_case_of_an_address_does_not_matter(tmp_path: Path) -> None:
    lookup = orders(tmp_path, "Ann@Shop.example")
    assert isinstance(await lookup.find("A-1", Requester(email="ann@shop.EXAMPLE", verified=True)), Ok)


@pytest.mark.parametrize(
    "peer", ["::1:2:3", "::102:304", "127.evil.example", "127.0.0.1.evil.example", "", "testclient"]
)
def test_what_only_begins_like_this_machine_is_not_this_machine(peer: str) -> None:
    assert not is_loopback(peer)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.1.2.3", "::1"])
def test_this_machine_is_this_machine(peer: str) -> None:
    assert is_loopback(peer)

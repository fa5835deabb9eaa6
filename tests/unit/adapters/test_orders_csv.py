import os
from datetime import date
from pathlib import Path

import pytest

from support_agents.adapters.orders_csv import COLUMNS, CsvOrderLookup
from support_agents.domain.errors import Failed, Ok, SupportError
from support_agents.domain.orders import OrderFacts, UnknownOrder
from support_agents.domain.ticket import Requester
from support_agents.testing.clock import FixedClock

ANNA = Requester(email="anna@example.com", verified=True)
ROW = "HW-1,anna@example.com,Anna,shipped,Lamp,2,-3,-2,,DHL,T-1,4990,0,EUR,P1,1234"


def lookup(folder: Path, *rows: str, header: str = ",".join(COLUMNS)) -> CsvOrderLookup:
    path = folder / "orders.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return CsvOrderLookup(path, FixedClock())


async def found(orders: CsvOrderLookup, order_id: str) -> OrderFacts:
    answer = await orders.find(order_id, ANNA)
    assert isinstance(answer, Ok)
    return answer.value


async def test_dates_may_be_days_from_today_and_the_version_stands_still(tmp_path: Path) -> None:
    orders = lookup(tmp_path, ROW)
    facts = await found(orders, "HW-1")
    assert (facts.placed_on, facts.shipped_on, facts.delivered_on) == (date(2026, 11, 19), date(2026, 11, 20), None)
    clock = orders.clock
    assert isinstance(clock, FixedClock)
    clock.advance(86_400)
    later = await found(orders, "HW-1")
    assert later.shipped_on == date(2026, 11, 21)
    assert later.version == facts.version


@pytest.mark.parametrize("written", ["HW-1", "hw-1", "#HW-1", "HW 1", "1", "#1"])
async def test_a_number_is_found_however_it_is_written(tmp_path: Path, written: str) -> None:
    assert (await found(lookup(tmp_path, ROW), written)).order_id == "HW-1"


async def test_digits_alone_are_not_enough_when_two_orders_fit(tmp_path: Path) -> None:
    orders = lookup(tmp_path, ROW, ROW.replace("HW-1", "UK-1"))
    assert await orders.find("1", ANNA) == UnknownOrder("1")
    assert await orders.find("XX-1", ANNA) == UnknownOrder("XX-1")


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    orders = lookup(tmp_path, ROW)
    before = await found(orders, "HW-1")
    orders.path.write_text(orders.path.read_text().replace(",shipped,Lamp", ",delivered,Lamp"))
    os.utime(orders.path, (1, 1))
    after = await found(orders, "HW-1")
    assert (before.status.value, after.status.value) == ("shipped", "delivered")
    assert before.version != after.version


async def test_a_file_of_the_same_length_put_in_its_place_in_the_same_moment_is_read(tmp_path: Path) -> None:
    orders = lookup(tmp_path, ROW)
    assert (await found(orders, "HW-1")).total.minor == 4_990
    then, new = orders.path.stat().st_mtime_ns, orders.path.with_suffix(".new")
    new.write_text(orders.path.read_text().replace("4990", "1990"))
    os.utime(new, ns=(then, then))
    new.replace(orders.path)
    assert (await found(orders, "HW-1")).total.minor == 1_990


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        ("4990", "49.90", "total_minor"),
        ("shipped", "lost", "status"),
        ("-3", "yesterday", "placed_on"),
        ("EUR", "euro", "currency"),
        ("P1", "", "payment_ref"),
        (",2,", ",-2,", "quantity"),
    ],
)
def test_a_broken_cell_is_named_by_line_and_column(tmp_path: Path, before: str, after: str, column: str) -> None:
    orders = lookup(tmp_path, ROW.replace("HW-1", "HW-0"), ROW.replace(before, after, 1))
    with pytest.raises(SupportError) as raised:
        orders.check()
    assert f"line 3: {column}" in raised.value.message


def test_a_missing_column_and_a_repeated_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="column email is missing"):
        lookup(tmp_path, header="order_id").check()
    with pytest.raises(SupportError, match="line 3: order_id stands twice"):
        lookup(tmp_path, ROW, ROW.replace("HW-1", "hw-1")).check()


async def test_a_file_that_went_away_is_a_failure_not_an_exception(tmp_path: Path) -> None:
    orders = CsvOrderLookup(tmp_path / "gone.csv", FixedClock())
    assert isinstance(await orders.find("1", ANNA), Failed)
    assert isinstance(await orders.list_theirs(ANNA), Failed)

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.wording.dates import FoundDate, write_date
from support_agents.wording.values import values_in

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "3 December"), ("de", "3. Dezember"), ("es", "3 de diciembre"), ("fr", "3 décembre"), ("xx", "3 December")],
)
def test_a_date_is_written_as_people_do(language: str, written: str) -> None:
    assert write_date(date(2026, 12, 3), language, today=TODAY) == written


def test_another_year_is_named_and_french_counts_the_first() -> None:
    assert write_date(date(2027, 1, 1), "fr", today=TODAY) == "1er janvier 2027"
    assert write_date(date(2027, 1, 1), "es", today=TODAY) == "1 de enero de 2027"


@given(
    st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["en", "de", "es", "fr", "it", "nl", "pl", "pt"])
)
def test_what_is_written_is_read_as_the_same_day(day: date, language: str) -> None:
    (found,) = values_in(f"… {write_date(day, language, today=TODAY)} …")
    (exact,) = values_in(day.isoformat())
    assert any(one.startswith(other) for one in exact.keys for other in found.keys)


def test_a_day_that_does_not_exist_is_no_date() -> None:
    assert [value.kind for value in values_in("on 2026-02-31")] == []
    assert FoundDate(None, 2, 29).matches(FoundDate.of(date(2028, 2, 29)))

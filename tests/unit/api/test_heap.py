"""A ready process is not stopped by full collections of what it will need to its end."""

import ctypes
import gc
import os
import weakref
from collections.abc import Iterator

import pytest

from api.heap import give_back, settle, unsettle
from tests.benchmarks.installation import resident_mb


class _Kept:
    """Something that can be looked for."""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    unsettle()
    gc.set_threshold(*thresholds)


def test_what_lives_when_a_process_is_ready_is_looked_at_no_more() -> None:
    kept = _Kept()
    settle()
    assert gc.get_freeze_count() > 0
    assert not any(each is kept for each in gc.get_objects())
    unsettle()
    assert any(each is kept for each in gc.get_objects())


def test_full_collections_do_not_wait_for_a_share_of_what_was_set_apart() -> None:
    settle()
    before = gc.get_stats()[2]["collections"]
    gc.set_threshold(50, 1, 1)
    kept = [[at] for at in range(5_000)]
    assert gc.get_stats()[2]["collections"] > before
    assert kept


def test_what_comes_later_is_still_collected_and_what_was_set_apart_still_goes_when_nothing_holds_it() -> None:
    early = _Kept()
    gone = weakref.ref(early)
    settle()
    later = _Kept()
    later.__dict__["itself"] = later
    cycle = weakref.ref(later)
    del early, later
    gc.collect()
    assert gone() is None
    assert cycle() is None


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library gives nothing back")
def test_what_lies_unused_between_what_is_used_is_given_back() -> None:
    kept = [b"%d" % at * 16_000 for at in range(1_000, 3_000)]
    del kept[:-1]  # the last one holds the heap's end where it is
    before = resident_mb(os.getpid())["VmRSS"]
    give_back()
    assert resident_mb(os.getpid())["VmRSS"] < before - 60
    assert kept

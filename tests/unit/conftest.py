"""Which event loop a test has: the usual one, or one in which time stands still while there is work."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.fixtures.still_time import StillLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of the mark `still_time`, where a test or its module has it."""
    if item.get_closest_marker("still_time"):
        return {"still": StillLoop}
    return {"usual": asyncio.new_event_loop}

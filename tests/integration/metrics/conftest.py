"""Fixtures of the tests of what is measured."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.installation import installation, local_installation
from tests.peers.collector import Collector
from tests.peers.serving import serving

__all__ = ["collector", "installation", "local_installation"]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """Where spans are sent to."""
    async with serving(Collector()) as found:
        yield found

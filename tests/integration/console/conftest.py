"""One desk per module: loading the models takes a second, and every test works on tickets of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fixtures.console import Desk, open_desk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A desk without a worker: nothing happens by itself."""
    async with open_desk(tmp_path_factory.mktemp("desk")) as opened:
        yield opened

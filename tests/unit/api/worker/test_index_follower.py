"""How far an index is: told by what is stored now, never by what somebody has noticed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from api.worker.index_follower import IndexFollower, Standing
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.testing.knowledge import HashEmbedder, ListStore, MemoryPassageStore


class House:
    """A folder that is synced by hand, and the follower of what is stored; `prepare` is the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.passages, self.index = folder, MemoryPassageStore(), ListStore()
        self.prepare: Callable[[], Awaitable[object]] = self._nothing
        indexer = PassageIndexer(passages=self.passages, embedder=HashEmbedder(32), index=self.index)
        self.follower = IndexFollower(self.passages, self.index, indexer, self._prepared)

    async def sync(self, **articles: str) -> None:
        for name, text in articles.items():
            (self.folder / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")
        await KnowledgeSync(self.passages).sync(self.folder, DEFAULT_WORKSPACE)

    async def refresh(self) -> None:
        await self.follower.refresh(DEFAULT_WORKSPACE)

    async def standing(self) -> Standing:
        return await self.follower.standing(DEFAULT_WORKSPACE)

    async def counts(self) -> tuple[int, int, int, bool]:
        found = await self.standing()
        return found.stored, found.missing, found.surplus, found.in_step

    async def _prepared(self, _workspace: WorkspaceId) -> None:
        await self.prepare()

    async def _nothing(self) -> None:
        pass


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_before_the_first_pass_nothing_is_in_step_and_after_it_all_is(house: House) -> None:
    assert await house.counts() == (0, 0, 0, False)
    await house.refresh()
    assert await house.counts() == (0, 0, 0, True)


async def test_a_sync_that_nobody_has_noticed_counts_at_once(house: House) -> None:
    await house.sync(returns="Thirty days.", shipping="Two days.")
    await house.refresh()
    await house.sync(returns="Sixty days.", parking="Behind the house.")
    assert await house.counts() == (3, 2, 1, False)
    await house.refresh()
    assert await house.counts() == (3, 0, 0, True)


async def test_what_is_stored_during_a_pass_is_not_what_the_pass_was_for(house: House) -> None:
    await house.sync(returns="Thirty days.")
    house.prepare = lambda: house.sync(parking="Behind the house.")
    await house.refresh()
    assert await house.counts() == (2, 1, 0, False)


async def test_it_is_not_in_step_while_topics_and_macros_are_being_made(house: House) -> None:
    begun, made = asyncio.Event(), asyncio.Event()

    async def prepare() -> None:
        begun.set()
        await made.wait()

    await house.sync(returns="Thirty days.")
    house.prepare = prepare
    refreshing = asyncio.create_task(house.refresh())
    await begun.wait()
    assert await house.counts() == (1, 0, 0, False)
    made.set()
    await refreshing
    assert await house.counts() == (1, 0, 0, True)


async def test_a_pass_that_failed_leaves_it_behind(house: House) -> None:
    async def prepare() -> None:
        raise OSError("disk full")

    await house.sync(returns="Thirty days.")
    house.prepare = prepare
    with pytest.raises(OSError, match="disk full"):
        await house.refresh()
    assert not (await house.standing()).in_step


async def test_every_step_on_the_way_is_told(house: House) -> None:
    await house.sync(**{f"lamp{at}": f"About lamp number {at}." for at in range(40)})
    seen: list[int] = []

    async def look() -> None:
        seen.append((await house.standing()).steps)

    await look()
    house.prepare = look
    await house.refresh()
    await look()
    assert seen[0] < seen[1] < seen[2]

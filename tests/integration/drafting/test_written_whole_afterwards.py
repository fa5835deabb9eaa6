"""The whole product with a slow model: a draft that the deadline cut is written whole afterwards, and only offered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from api.demo import shop
from db.repositories.approvals import ApprovalRequest
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import Outcome, RunRecord
from tests.fixtures.console import Browser, Desk
from tests.fixtures.installation import UNHURRIED, Installation, event, open_installation
from tests.peers.model_provider import model_provider
from tests.peers.slow_once import slow_once

QUESTION = "How long do I have to send an item back, and does it have to be unused?"


@asynccontextmanager
async def slow_shop(folder: Path, database_url: str, *, fuller: bool = True) -> AsyncIterator[Installation]:
    """A shop whose first draft is cut."""
    async with model_provider(slow_once(QUESTION)) as served:
        settings = {
            **UNHURRIED,
            "stages": {"understanding": 10, "retrieval": 10, "drafting": 5},
            "database_url": database_url,
            "data_dir": folder / "data",
            "known_vectors": shop.VECTORS,
            "llm_provider": "openai",
            "llm_model": "gpt-5",
            "llm_base_url": served.openai_url,
            "llm_api_key": "k",
            "llm_hedge_share": 0.0,
            "llm_fuller_draft": fuller,
            "llm_fuller_seconds": 50.0,
            "hurry_seconds": 120.0,
            "refuse_seconds": 240.0,
        }
        async with open_installation(settings) as opened:
            await opened.container.knowledge.sync(shop.ARTICLES, DEFAULT_WORKSPACE)
            await opened.container.follower.indexer.refresh(DEFAULT_WORKSPACE)
            yield opened


async def answered(opened: Installation) -> tuple[tuple[RunRecord, ...], tuple[ApprovalRequest, ...]]:
    """The runs and open requests of the one ticket, when nothing is left to do."""
    assert (await opened.send(event(text=QUESTION))).status_code in {200, 202}
    async with opened.working():
        await opened.settled(300)
    return await stored(opened)


async def stored(opened: Installation) -> tuple[tuple[RunRecord, ...], tuple[ApprovalRequest, ...]]:
    async with opened.container.database.read() as uow:
        requests = await uow.approvals.open_in(DEFAULT_WORKSPACE, limit=5)
        runs = await uow.runs.of(requests[0].ticket_id, limit=5)
        return runs, tuple(requests)


async def test_what_time_cut_is_written_whole_looked_at_and_taken(tmp_path: Path, database_url: str) -> None:
    async with slow_shop(tmp_path, database_url) as opened:
        (cut, whole), (short,) = await answered(opened)
        assert cut.was_cut, "on a busy machine quotes may stand where whole sentences did not come in time"
        assert (whole.outcome, whole.parent_run_id) == (Outcome.DRAFTED, cut.run_id)
        assert whole.sections.draft is not None
        assert cut.sections.draft is not None
        assert whole.sections.draft.text != cut.sections.draft.text
        assert whole.sections.compliance is not None, "it has a verdict of its own"
        assert [call.model for call in whole.model_calls if call.agent == "drafting"][:1] == ["openai:gpt-5"]
        assert short.run_id == cut.run_id

        desk = Desk(opened)
        desk.still(timedelta())
        ann = await desk.browser()
        await _taken(ann, short, whole.sections.draft.text)
        (now,) = (await stored(opened))[1]
        assert now.run_id == whole.run_id
        assert now.digest != short.digest
        page = (await ann.get(f"/console/tickets/{now.ticket_id}")).text
        assert "Fuller draft" in page
        await desk.close()


async def _taken(ann: Browser, short: ApprovalRequest, text: str) -> None:
    """Look at it on the request's page, then take it there."""
    path = f"/console/requests/{short.id}"
    page = (await ann.get(path)).text
    assert "Show fuller draft" in page
    assert text.rpartition(". ")[2][:20] in page
    answer = await ann.post(f"{path}/fuller", on=path, digest=short.digest)
    assert answer.status_code == 303
    new = (await ann.get(answer.headers["location"])).text
    assert "Show fuller draft" not in new
    old = (await ann.get(path)).text
    assert "Open what replaced it" in old
    late = await ann.post(f"{path}/fuller", on=path, digest=short.digest)
    assert late.status_code == 409


async def test_nothing_is_written_again_unless_it_is_asked_for(tmp_path: Path, sqlite_url: str) -> None:
    async with slow_shop(tmp_path, sqlite_url, fuller=False) as opened:
        (cut,), (short,) = await answered(opened)
        assert cut.was_cut
        desk = Desk(opened)
        page = (await (await desk.browser()).get(f"/console/requests/{short.id}")).text
        assert "fuller" not in page
        await desk.close()

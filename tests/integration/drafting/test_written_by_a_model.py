"""The whole product with a language model behind real HTTP: what it writes, and what stands when it fails."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from api.asking import Question
from api.demo import shop
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.sections import Verdict
from tests.fixtures.installation import UNHURRIED, Installation, open_installation
from tests.peers.model_provider import ModelProvider, model_provider
from tests.peers.model_weather import Fault

QUESTION = "How long do I have to send an item back, and does it have to be unused?"
# On a loaded machine as well: these are about what is written, not about how fast.
PATIENT = {**UNHURRIED, "llm_hedge_share": 0.0}


@asynccontextmanager
async def shop_with(provider: ModelProvider, folder: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    settings = {
        **PATIENT,
        "database_url": sqlite_url,
        "data_dir": folder / "data",
        "macros": shop.MACROS,
        "known_vectors": shop.VECTORS,
        "llm_provider": "openai",
        "llm_model": "gpt-5",
        "llm_base_url": provider.openai_url,
        "llm_api_key": "k",
    }
    async with open_installation(settings) as opened:
        container = opened.container
        await container.knowledge.sync(shop.ARTICLES, DEFAULT_WORKSPACE)
        await container.follower.indexer.refresh(DEFAULT_WORKSPACE)
        await container.asking.rehearse(DEFAULT_WORKSPACE)
        yield opened


async def asked(opened: Installation, text: str) -> RunRecord:
    return await opened.container.asking.ask(Question(text=text), DEFAULT_WORKSPACE)


async def test_a_model_writes_every_fault_leads_to_a_macro_and_all_is_on_record(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with model_provider() as provider, shop_with(provider, tmp_path, sqlite_url) as opened:
        record = await asked(opened, QUESTION)
        assert record.outcome is Outcome.DRAFTED, record.reason
        assert record.sections.draft is not None
        assert record.sections.draft.model == "openai:gpt-5"
        assert record.sections.draft.prompt_version == "drafting.4"
        assert record.sections.compliance is not None
        assert record.sections.compliance.verdict in {Verdict.PASS, Verdict.REPAIRED}
        (call,) = [one for one in record.model_calls if one.model == "openai:gpt-5"]
        assert call.cost_micro_usd > 0
        assert call.first_token_ms is not None
        assert call.tokens_in > 100
        for fault in (Fault.UNAVAILABLE, Fault.OVERLOADED, Fault.CUT, Fault.DISCONNECT, Fault.MALFORMED):
            provider.says = lambda _: "Hi"
            provider.weather.plan([fault])
            record = await asked(opened, QUESTION)
            assert record.outcome is Outcome.MACRO, (fault, record.reason)
            assert "llm_" in record.reason


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def says_no(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> AsyncIterator[tuple[ModelProvider, Installation]]:
    """A shop whose provider says "No", for what leaves no trace in either but a record."""
    folder = tmp_path_factory.mktemp("says_no")
    shutil.copyfile(sqlite_template, folder / "support.db")
    url = f"sqlite+aiosqlite:///{folder / 'support.db'}"
    async with model_provider() as provider, shop_with(provider, folder, url) as opened:
        provider.says = lambda _: "No"
        yield provider, opened


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("fault", [Fault.REFUSAL, Fault.FILTERED, Fault.MAX_TOKENS])
async def test_an_answer_that_is_none_is_on_record_as_what_it_was(
    says_no: tuple[ModelProvider, Installation], fault: Fault
) -> None:
    provider, opened = says_no
    provider.weather.plan([fault])
    record = await asked(opened, QUESTION)
    assert record.outcome is Outcome.MACRO
    stops = {call.model: call.stop for call in record.model_calls}
    assert stops["openai:gpt-5"] == ("max_tokens" if fault is Fault.MAX_TOKENS else "refused")
    assert stops["openai:gpt-5"] in record.reason

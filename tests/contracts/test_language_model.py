"""What every `LanguageModel` does, fakes, wrappers and real adapters alike."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from time import monotonic
from typing import Any, cast

import pytest

from support_agents.adapters.anthropic import AnthropicModel
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.llm.budgeted import BudgetedModel, TokenLedger
from support_agents.llm.recorded import CallLog, RecordedModel
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta
from support_agents.testing.llm import Pause, ScriptedModel
from tests.peers.llm_server import WORDS, llm_server

PROMPT = Prompt(agent="drafting", version="draft.1", system="s", user="Where is it?", max_tokens=100)


def run(seconds: float = 5.0) -> Run:
    return Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(monotonic() + seconds), Budget())


@pytest.fixture(params=["scripted", "wrapped", "openai", "anthropic"])
async def models(request: pytest.FixtureRequest) -> AsyncIterator[tuple[LanguageModel, LanguageModel]]:
    """One model that answers well, and one that stalls in the middle."""
    if request.param in {"scripted", "wrapped"}:
        good: LanguageModel = ScriptedModel(WORDS)
        stalled: LanguageModel = ScriptedModel(("Hello", Pause(60)))
        if request.param == "wrapped":
            good = RecordedModel(BudgetedModel(good, TokenLedger()), CallLog())
            stalled = RecordedModel(BudgetedModel(stalled, TokenLedger()), CallLog())
        yield good, stalled
        return
    async with llm_server() as server:
        openai = request.param == "openai"
        made = [
            OpenAiModel(api_key="k", model=mode, base_url=server.openai_url)
            if openai
            else AnthropicModel(api_key="k", model=mode, base_url=server.anthropic_url)
            for mode in ("good", "stall")
        ]
        yield made[0], made[1]
        for model in made:
            await model.close()


Models = tuple[LanguageModel, LanguageModel]


async def test_it_is_a_language_model_with_a_name(models: Models) -> None:
    assert isinstance(models[0], LanguageModel)
    assert models[0].name


async def test_deltas_come_first_and_one_end_last(models: Models) -> None:
    items = [item async for item in models[0].stream(PROMPT, run())]
    assert all(isinstance(item, TextDelta) for item in items[:-1])
    assert "".join(item.text for item in items[:-1] if isinstance(item, TextDelta)) == "".join(WORDS)
    assert isinstance(items[-1], Completed)
    assert items[-1].stop is StopReason.COMPLETE
    assert items[-1].tokens_out > 0


async def test_it_can_be_called_again(models: Models) -> None:
    for _ in range(2):
        assert [item async for item in models[0].stream(PROMPT, run())]


async def test_a_deadline_that_passes_is_a_retryable_support_error(models: Models) -> None:
    with pytest.raises(SupportError) as caught:
        _ = [item async for item in models[1].stream(PROMPT, run(0.2))]
    assert (caught.value.code, caught.value.retryable) == ("llm_timeout", True)


async def test_closing_the_iterator_ends_the_call_at_once(models: Models) -> None:
    began = monotonic()
    stream = cast("Any", models[1].stream(PROMPT, run(60)))
    async with aclosing(stream):
        await anext(stream)
    assert monotonic() - began < 30  # the call has 60 seconds

from contextlib import aclosing
from time import monotonic
from typing import Any, cast

import pytest

from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.llm.budgeted import LONGEST_TOKEN, BudgetedModel, TokenLedger
from support_agents.llm.recorded import CallLog, RecordedModel
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta
from support_agents.testing.llm import Pause, ScriptedModel, Step


def run(tokens: int = 100, seconds: float = 5.0) -> Run:
    budget = Budget(tokens={"drafting": tokens})
    return Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(monotonic() + seconds), budget)


def prompt(max_tokens: int = 60, agent: str = "drafting") -> Prompt:
    return Prompt(agent=agent, version="draft.1", system="s", user="u", max_tokens=max_tokens)


async def heard(model: LanguageModel, given: Run, asked: Prompt | None = None) -> tuple[str, Completed]:
    *deltas, end = [item async for item in model.stream(asked or prompt(), given)]
    assert isinstance(end, Completed)
    return "".join(delta.text for delta in cast("list[TextDelta]", deltas)), end


def scripted(*steps: Step) -> ScriptedModel:
    return ScriptedModel(steps)


async def test_a_call_is_recorded_with_its_times_and_tokens() -> None:
    log, this = CallLog(), run()
    model = RecordedModel(scripted(Pause(0.02), "Hello.", Completed(StopReason.COMPLETE, 7, 3, 2)), log)
    await heard(model, this)
    (call,) = log.take(this.id)
    assert (call.agent, call.model, call.prompt_version) == ("drafting", "scripted", "draft.1")
    assert (call.tokens_in, call.tokens_out, call.tokens_cached, call.stop) == (7, 3, 2, "complete")
    assert call.first_token_ms is not None
    assert 15 < call.first_token_ms <= call.total_ms
    assert log.take(this.id) == ()


async def test_a_call_that_fails_is_recorded_with_the_error_s_code() -> None:
    log, this = CallLog(), run()
    with pytest.raises(SupportError):
        await heard(RecordedModel(scripted("Hel", SupportError("llm_overloaded", "busy")), log), this)
    assert [call.stop for call in log.take(this.id)] == ["llm_overloaded"]


async def test_a_call_that_nobody_listens_to_any_more_is_recorded() -> None:
    log, this = CallLog(), run()
    stream = cast("Any", RecordedModel(scripted("one", Pause(5), "two"), log).stream(prompt(), this))
    async with aclosing(stream):
        assert await anext(stream) == TextDelta("one")
    assert [call.stop for call in log.take(this.id)] == ["abandoned"]


async def test_runs_that_nobody_asks_for_are_forgotten() -> None:
    log, first = CallLog(), run()
    model = RecordedModel(scripted("x"), log)
    await heard(model, first)
    for _ in range(1_000):
        await heard(model, run())
    assert log.take(first.id) == ()


async def test_a_call_asks_for_no_more_than_is_left_of_the_budget() -> None:
    inner, this = scripted("words", Completed(StopReason.COMPLETE, tokens_out=70)), run(tokens=100)
    model = BudgetedModel(inner, TokenLedger())
    await heard(model, this, prompt(max_tokens=80))
    await heard(model, this, prompt(max_tokens=80))
    assert [asked.max_tokens for asked in inner.prompts] == [80, 30]
    with pytest.raises(SupportError) as caught:
        await heard(model, this)
    assert caught.value.code == "llm_budget"


async def test_budgets_are_those_of_one_run_and_one_agent() -> None:
    inner = scripted("words", Completed(StopReason.COMPLETE, tokens_out=100))
    model, this = BudgetedModel(inner, TokenLedger()), run(tokens=100)
    await heard(model, this)
    assert (await heard(model, run(tokens=100)))[1].stop is StopReason.COMPLETE
    assert (await heard(model, this, prompt(agent="compliance")))[1].stop is StopReason.COMPLETE


async def test_a_model_that_does_not_stop_is_cut() -> None:
    inner = scripted(*["All is well. "] * 1_000)
    text, end = await heard(BudgetedModel(inner, TokenLedger()), run(tokens=20), prompt(max_tokens=20))
    assert len(text) == 20 * LONGEST_TOKEN
    assert end.stop is StopReason.MAX_TOKENS


async def test_a_call_without_figures_is_settled_by_its_length() -> None:
    inner = scripted("x" * 200, Completed(StopReason.COMPLETE))
    model, this = BudgetedModel(inner, TokenLedger()), run(tokens=100)
    await heard(model, this, prompt(max_tokens=80))
    await heard(model, this, prompt(max_tokens=80))
    assert inner.prompts[1].max_tokens == 50


async def test_a_failed_call_gives_back_what_it_did_not_use() -> None:
    inner = scripted("abcd", SupportError("llm_timeout", "late", retryable=True))
    model, this = BudgetedModel(inner, TokenLedger()), run(tokens=100)
    for _ in range(3):
        with pytest.raises(SupportError):
            await heard(model, this, prompt(max_tokens=80))
    assert [asked.max_tokens for asked in inner.prompts] == [80, 80, 80]


async def test_wrappers_keep_the_name_of_the_model_inside() -> None:
    assert RecordedModel(BudgetedModel(scripted(), TokenLedger()), CallLog()).name == "scripted"

"""The configured writer, put together as the product does it, against providers on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.cli.checks.finding import findings
from api.cli.checks.language_model import answers, prices, routing
from api.settings import Settings, load
from api.writers import Writing, writing_of
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import ModelCall
from tests.fixtures.drafting import RETURNS, drafting_given, passage
from tests.fixtures.models import a_prompt, a_run, heard
from tests.peers.model_provider import ModelProvider, model_provider
from tests.peers.model_weather import Fault

ANSWER = "You can return it within 30 days. "
KEY = "sk-secret-of-the-test-0123456789"


def says(*faults: Fault) -> ModelProvider:
    provider = ModelProvider(says=lambda _: ANSWER)
    provider.weather.plan(faults)
    return provider


def settings_for(first: ModelProvider, second: ModelProvider | None = None, **more: object) -> Settings:
    named: dict[str, object] = {
        "llm_provider": "openai",
        "llm_model": "gpt-5",
        "llm_base_url": first.openai_url,
        "llm_api_key": KEY,
        "llm_hedge_share": 0.0,
    }
    if second is not None:
        named |= {
            "llm_second_provider": "anthropic",
            "llm_second_model": "claude-haiku-4-5",
            "llm_second_base_url": second.base_url,
            "llm_second_api_key": KEY,
        }
    return load({**named, **more})


@asynccontextmanager
async def writing(settings: Settings) -> AsyncIterator[Writing]:
    made = writing_of(settings)
    try:
        yield made
    finally:
        for close in made.closing:
            await close()


def test_without_a_provider_nobody_writes_and_nothing_is_opened() -> None:
    made = writing_of(load())
    assert (made.model, made.closing, made.breakers) == (None, (), ())


async def test_the_second_provider_answers_for_a_first_that_refuses_the_key() -> None:
    refusing = says(Fault.UNAUTHORISED)
    async with (
        model_provider(refusing) as first,
        model_provider(says()) as second,
        writing(settings_for(first, second)) as made,
    ):
        assert made.model is not None
        run = a_run()
        said, _, by = await heard(made.model, run)
        assert (said, by) == (ANSWER, ("anthropic:claude-haiku-4-5",))
        calls = made.calls.take(run.id)
        assert [(call.model, call.stop) for call in calls] == [
            ("openai:gpt-5", "llm_auth"),
            ("anthropic:claude-haiku-4-5", "complete"),
        ]
        assert calls[1].cost_micro_usd > 0
        assert {name: one.misconfigured for name, one in made.breakers} == {
            "openai:gpt-5": "llm_auth",
            "anthropic:claude-haiku-4-5": "",
        }


@pytest.mark.parametrize(
    ("named", "variable"),
    [
        ({"llm_provider": "openai"}, "SUPPORT_LLM_API_KEY"),
        ({"llm_second_provider": "fireworks", "llm_second_model": "m"}, "SUPPORT_LLM_SECOND_API_KEY"),
    ],
)
def test_a_key_that_is_missing_is_named_by_its_variable(named: dict[str, object], variable: str) -> None:
    settings = load({"llm_provider": "ollama", "llm_model": "m", **named})
    with pytest.raises(SupportError, match=f"wants a key: set {variable}$"):
        writing_of(settings)


async def test_a_limit_leads_to_the_next_provider_and_then_to_none() -> None:
    async with (
        model_provider(says()) as first,
        model_provider(says()) as second,
        writing(settings_for(first, second, llm_monthly_limit_usd=1.0)) as made,
    ):
        assert made.model is not None
        made.spend.restate({"openai:gpt-5": 1_000_000})
        assert (await heard(made.model))[2] == ("anthropic:claude-haiku-4-5",)
        made.spend.add(ModelCall(agent="a", model="anthropic:x", prompt_version="v", cost_micro_usd=1_000_000))
        with pytest.raises(SupportError) as caught:
            await heard(made.model)
    assert caught.value.code == "llm_spent"
    assert (len(first.asked), len(second.asked)) == (0, 1)


async def test_what_is_simple_is_asked_of_the_small_model() -> None:
    given = drafting_given("Can I send it back?", "return_request", passages=(passage(RETURNS),))
    async with model_provider(says()) as first, writing(settings_for(first, llm_small_model="gpt-5-nano")) as made:
        assert made.model is not None
        run = a_run()
        await heard(made.model, run, a_prompt(given=given))
        await heard(made.model, run, a_prompt())
        calls = made.calls.take(run.id)
    assert [call.model for call in calls] == ["openai:gpt-5-nano", "openai:gpt-5"]
    assert [call.route.partition(":")[0] for call in calls] == ["small", "large"]
    assert 0 < calls[0].cost_micro_usd < calls[1].cost_micro_usd


async def test_the_other_api_of_openai_is_a_setting() -> None:
    async with model_provider(says()) as first, writing(settings_for(first, llm_api="responses")) as made:
        assert made.model is not None
        assert (await heard(made.model))[0] == ANSWER
    assert "input" in first.asked[0].body


async def test_the_limit_of_streams_is_a_setting() -> None:
    async with model_provider(says(Fault.SILENT)) as first, writing(settings_for(first, llm_streams=1)) as made:
        assert made.model is not None
        silent = asyncio.ensure_future(heard(made.model, a_run(0.5)))
        await asyncio.sleep(0.05)
        with pytest.raises(SupportError) as caught:
            await heard(made.model)
        with pytest.raises(SupportError):
            await silent
    assert caught.value.code == "llm_busy"


@pytest.mark.parametrize(
    ("fault", "said", "fix"),
    [
        (Fault.UNAUTHORISED, "does not accept the key", "SUPPORT_LLM_SECOND_API_KEY"),
        (Fault.FORBIDDEN, "does not accept the key", "SUPPORT_LLM_SECOND_API_KEY"),
        (Fault.QUOTA, "has nothing left", "SUPPORT_LLM_SECOND_PROVIDER"),
        (Fault.OVERLOADED, "is overloaded", "try again"),
    ],
)
async def test_doctor_names_what_is_wrong_with_a_provider(fault: Fault, said: str, fix: str) -> None:
    async with model_provider(says()) as first, model_provider(says(fault)) as second:
        good, bad = await answers(settings_for(first, second))
    assert good.ok
    assert good.detail.startswith("openai:gpt-5 answers in ")
    assert said in bad.detail
    assert fix in bad.fix
    assert KEY not in repr((good, bad))


async def test_doctor_says_that_a_limit_needs_a_price() -> None:
    async with model_provider(says()) as first:
        found = await answers(settings_for(first, llm_model="our-own", llm_monthly_limit_usd=10))
    assert [one.fix for one in found if not one.ok] == ["give its price in a file and name that in SUPPORT_LLM_PRICES"]


async def test_doctor_asks_the_small_model_and_names_its_variable() -> None:
    async with model_provider(says(Fault.NONE, Fault.REFUSAL)) as first, model_provider(says()) as second:
        large, small, other = await answers(settings_for(first, second, llm_small_model="gpt-5-nano"))
        assert [asked.model for asked in first.asked] == ["gpt-5", "gpt-5-nano"]
    assert (large.ok, other.ok) == (True, True)
    assert small.detail == "openai:gpt-5-nano refuses to answer"
    assert small.fix == "check SUPPORT_LLM_SMALL_MODEL"


async def test_doctor_reads_the_files_of_prices_and_routes_without_a_limit(tmp_path: Path) -> None:
    assert (await prices(load()), await routing(load())) == ((), ())
    missing = load({"llm_prices": tmp_path / "prices.yaml", "llm_routing": tmp_path / "routing.yaml"})
    for check, variable in ((prices, "SUPPORT_LLM_PRICES"), (routing, "SUPPORT_LLM_ROUTING")):
        (told,) = await findings("file", check, missing, fix="correct the file")
        assert not told.ok
        assert f"({variable}): cannot be read: No such file" in told.detail
    (tmp_path / "prices.yaml").write_text("{}")
    (tmp_path / "routing.yaml").write_text("otherwise: {to: large, because: always}")
    (found,) = await prices(missing)
    assert found.ok
    (idle,) = await routing(missing)
    assert idle.fix.startswith("name the cheaper model in SUPPORT_LLM_SMALL_MODEL")
    (used,) = await routing(missing.model_copy(update={"llm_small_model": "gpt-5-nano"}))
    assert used.ok


async def test_doctor_asks_the_models_although_the_prices_cannot_be_read(tmp_path: Path) -> None:
    async with model_provider(says()) as first:
        (found,) = await answers(settings_for(first, llm_prices=tmp_path / "none.yaml", llm_monthly_limit_usd=10))
    assert found.ok


async def test_doctor_is_content_without_a_model() -> None:
    (found,) = await answers(load())
    assert found.ok


async def test_short_questions_go_to_the_small_model_and_without_one_to_nobody() -> None:
    async with model_provider(says()) as first:
        async with writing(settings_for(first)) as made:
            assert made.small is None
        async with writing(settings_for(first, llm_small_model="gpt-5-nano")) as made:
            assert made.small is not None
            run = a_run()
            await heard(made.small, run)
            assert [call.model for call in made.calls.take(run.id)] == ["openai:gpt-5-nano"]

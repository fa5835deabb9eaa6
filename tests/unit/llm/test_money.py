"""Prices, the month's spend with its limit, and the rules that pick a model."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from support_agents.domain.action import IssueRefund
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money
from support_agents.domain.runs import ModelCall
from support_agents.llm.prices import Price, Prices, Tokens, load_prices, shipped_prices
from support_agents.llm.recorded import CallLog, RecordedModel
from support_agents.llm.routing import RoutedModel, load_routes, shipped_routes
from support_agents.llm.spending import CappedModel, Spend
from support_agents.ports import Completed, StopReason
from support_agents.testing.llm import ScriptedModel
from tests.fixtures.drafting import RETURNS, drafting_given, passage
from tests.fixtures.models import a_prompt, a_run, heard

PRICES = Prices({"big": Price(input=2, output=10, cached=0.5, source="page", as_of=date(2026, 1, 1))})


def test_a_call_costs_its_tokens_and_cached_ones_less() -> None:
    assert PRICES.cost("openai:big", Tokens(read=1_000, written=100)) == 3_000
    assert PRICES.cost("openai:big", Tokens(read=1_000, written=100, cached=800)) == 400 + 400 + 1_000
    assert PRICES.cost("openai:unknown", Tokens(1_000, 100)) == 0


def test_what_is_put_into_the_cache_costs_its_own_price_or_that_of_input() -> None:
    haiku, tokens = "anthropic:claude-haiku-4-5", Tokens(read=3_000, written=0, cached=1_000, to_cache=1_600)
    assert shipped_prices().cost(haiku, tokens) == 400 + 100 + 2_000
    assert PRICES.cost("openai:big", tokens) == 2 * 2_000 + 500


async def test_what_is_put_into_the_cache_is_on_record() -> None:
    log, run = CallLog(), a_run()
    end = Completed(StopReason.COMPLETE, 1_000, 100, 200, 600)
    model = ScriptedModel(("Hello", end), name="anthropic:claude-haiku-4-5")
    await heard(RecordedModel(model, log, shipped_prices()), run)
    (call,) = log.take(run.id)
    assert (call.tokens_cached, call.tokens_to_cache, call.cost_micro_usd) == (200, 600, 200 + 20 + 750 + 500)


def test_a_dated_name_costs_what_its_family_costs() -> None:
    prices = shipped_prices()
    assert prices.find("openai:gpt-4o-mini-2024-07-18") is prices.by_model["gpt-4o-mini"]
    assert prices.find("anthropic:claude-haiku-4-5-20251001") is prices.by_model["claude-haiku-4-5"]
    assert prices.find("openai:gpt-4o-audio") is None


def test_every_shipped_price_says_where_it_is_from() -> None:
    for name, price in shipped_prices().by_model.items():
        assert price.source, name
        assert price.cached <= price.input < price.output, name


def test_an_own_table_overlays_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text("gpt-4o: {input: 1, output: 2, cached: 0, source: contract, as_of: 2026-11-01}\n", encoding="utf-8")
    prices = load_prices(own)
    assert prices.cost("openai:gpt-4o", Tokens(1_000_000, 0)) == 1_000_000
    assert "gpt-5" in prices.by_model


ROW = "input: 1, output: 2, cached: 0, source: contract, as_of: 2026-11-01"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"gpt-4o: {{{ROW.replace('input: 1', 'input: cheap')}}}", "gpt-4o: input: Input should be a valid number"),
        (f"gpt-4o: {{{ROW}, per: token}}", "gpt-4o: per: Extra inputs"),
        (f"gpt-4o: {{{ROW.replace('11-01', '13-01')}}}", "gpt-4o: as_of: Input should be a valid date"),
        (f"gpt-4o: {{{ROW.replace('input: 1', 'input: .inf')}}}", "gpt-4o: input: Input should be a finite number"),
        ("gpt-4o: 3", "gpt-4o: Input should be"),
        ("- gpt-4o", "needs a row for each model"),
        ("a: b\ngpt-4o: {input: 1\n", "line 3: is not YAML: did not find"),
    ],
)
def test_a_price_table_with_a_fault_names_file_model_and_field(tmp_path: Path, content: str, told: str) -> None:
    assert refusal_of(tmp_path / "prices.yaml", content.encode(), load_prices).startswith(
        f"SUPPORT_LLM_PRICES): {told}"
    )


def refusal_of(path: Path, content: bytes, load: Callable[[Path], object]) -> str:
    """What is said about a file after its name, which always stands first; always one line."""
    path.write_bytes(content)
    with pytest.raises(SupportError) as refused:
        load(path)
    assert refused.value.message.startswith(f"{path} (")
    assert "\n" not in refused.value.message
    return refused.value.message.removeprefix(f"{path} (")


@pytest.mark.parametrize("load", [load_prices, load_routes])
def test_a_file_in_another_encoding_or_none_at_all_is_named(tmp_path: Path, load: Callable[[Path], object]) -> None:
    told = refusal_of(tmp_path / "own.yaml", "# prices\n# für uns".encode("latin-1"), load)
    assert told.endswith("line 2: is not UTF-8: save it in that encoding")
    with pytest.raises(SupportError, match=r" \(SUPPORT_LLM_.*\): cannot be read: Is a directory"):
        load(tmp_path)


async def test_cost_and_route_are_on_record() -> None:
    log, spend, run = CallLog(), Spend(), a_run()
    model = ScriptedModel(("Hello", Completed(StopReason.COMPLETE, 1_000, 100, 800)), name="openai:big")
    await heard(RecordedModel(model, log, PRICES, spend), run, a_prompt(route="large: because"))
    (call,) = log.take(run.id)
    assert (call.cost_micro_usd, call.route, call.estimated) == (1_800, "large: because", False)
    assert spend.of("openai") == 1_800


async def test_a_call_that_breaks_is_paid_for_by_its_length() -> None:
    log, run = CallLog(), a_run()
    model = ScriptedModel(("x" * 400, SupportError("llm_broken_stream", "gone")), name="openai:big")
    with pytest.raises(SupportError):
        await heard(RecordedModel(model, log, PRICES), run, a_prompt(user="y" * 4_000, system=""))
    (call,) = log.take(run.id)
    assert (call.tokens_in, call.tokens_out, call.estimated, call.cost_micro_usd) == (1_000, 100, True, 3_000)


async def test_a_call_that_was_turned_away_costs_nothing() -> None:
    log, run = CallLog(), a_run()
    model = ScriptedModel((SupportError("llm_rate_limited", "429"),), name="openai:big")
    with pytest.raises(SupportError):
        await heard(RecordedModel(model, log, PRICES), run)
    (call,) = log.take(run.id)
    assert (call.tokens_in, call.cost_micro_usd) == (0, 0)


def call(cost: int, model: str = "openai:big") -> ModelCall:
    return ModelCall(agent="drafting", model=model, prompt_version="v", cost_micro_usd=cost)


async def test_a_provider_beyond_its_month_is_not_asked() -> None:
    spend, inner = Spend(), ScriptedModel(("hello",), name="openai:big")
    capped = CappedModel(inner, spend, limit_usd=0.001)
    spend.add(call(999))
    await heard(capped)
    spend.add(call(1))
    with pytest.raises(SupportError) as caught:
        await heard(capped)
    assert caught.value.code == "llm_spent"
    assert len(inner.prompts) == 1


def test_spend_is_what_is_on_record_and_what_came_since() -> None:
    moment = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    spend = Spend(now=lambda: moment)
    spend.add(call(5))
    spend.restate({"openai:big": 100, "openai:small": 20, "anthropic:x": 7})
    spend.add(call(3))
    assert (spend.of("openai"), spend.of("anthropic")) == (123, 7)
    spend.restate({"openai:big": 100})
    assert spend.of("openai") == 123, "the last calls are not committed yet; they are spent all the same"
    moment = datetime(2026, 12, 1, tzinfo=UTC)
    assert spend.of("openai") == 0


async def picked(**changes: object) -> tuple[str, str]:
    small, large = ScriptedModel(("s",), name="small"), ScriptedModel(("l",), name="large")
    given = drafting_given("Can I send it back?", "return_request", passages=(passage(RETURNS),))
    given = given.model_copy(update=changes)
    said, _, _ = await heard(RoutedModel(small, large, shipped_routes()), prompt=a_prompt(given=given))
    (prompt,) = (*small.prompts, *large.prompts)
    return said, prompt.route


async def test_a_plain_question_goes_to_the_small_model_with_the_reason() -> None:
    assert await picked() == ("s", "small: one plain question, short evidence")


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "word " * 200},
        {"passages": tuple(passage(f"{number} " + "x" * 500) for number in range(10))},
        {"asks": drafting_given("a", "complaint").asks},
        {"asks": drafting_given("a", "return_request", "order_status").asks},
    ],
    ids=["long message", "long evidence", "delicate", "two asks"],
)
async def test_anything_else_goes_to_the_large_one(changes: dict[str, object]) -> None:
    assert (await picked(**changes))[0] == "l"


async def test_money_goes_to_the_large_model() -> None:
    refund = IssueRefund(
        order_id="HW-10423",
        order_version="v1",
        payment_ref="PAY-1",
        amount=Money(minor=100, currency="EUR"),
        account_last4="6031",
        clauses=(),
    )
    assert await picked(actions=(refund,)) == ("l", "large: money or another step depends on the wording")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("rules: [{to: medium, because: x}]\notherwise: {to: large, because: y}\n", "rules.0.to: Input should be"),
        ("rules: []", "otherwise: Field required"),
        ("", "needs a list `rules`"),
    ],
)
def test_a_rule_file_with_a_fault_names_file_rule_and_field(tmp_path: Path, content: str, told: str) -> None:
    refusal = refusal_of(tmp_path / "routing.yaml", content.encode(), load_routes)
    assert refusal.startswith(f"SUPPORT_LLM_ROUTING): {told}")

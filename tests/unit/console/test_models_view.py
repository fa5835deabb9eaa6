"""What the page of figures says of language models: cost, limits, and what a person must mend."""

from dataclasses import replace
from functools import partial

import pytest

from api.console.views.models import Asked, ModelsView, shown_models
from api.model_sources import every_source
from api.settings import load
from approvals.wording import Tone
from db.read_models.model_cost import IntentCost
from db.read_models.model_use import ModelUse
from support_agents.llm.spending import Spend

USED = (ModelUse("openai:big", 3, 2_500_000, {"llm_auth": 2}), ModelUse("extractive", 9))


SETTINGS = load(
    {
        "llm_provider": "openai",
        "llm_model": "big",
        "llm_small_model": "little",
        "llm_second_provider": "anthropic",
        "llm_second_model": "other",
    }
)
ASKED = Asked(every_source(SETTINGS))


def test_without_a_model_there_is_nothing_to_show() -> None:
    assert shown_models((ModelUse("extractive", 9),), (), Asked()) == ModelsView()


def test_a_key_that_is_refused_is_told_with_what_to_do() -> None:
    told = shown_models(USED, USED, ASKED)
    assert [(one.value, one.words, one.tone) for one in told.figures] == [
        ("$2.50", "openai this month", Tone.PLAIN),
        ("2", "openai:big does not accept the key: set SUPPORT_LLM_API_KEY", Tone.BAD),
    ]
    assert [row.words for table in told.tables for row in table.rows] == ["openai:big, $2.50, 2 failed"]


@pytest.mark.parametrize(
    ("model", "code", "variable"),
    [
        ("anthropic:other", "llm_auth", "set SUPPORT_LLM_SECOND_API_KEY"),
        ("anthropic:other", "llm_not_found", "check SUPPORT_LLM_SECOND_MODEL"),
        ("openai:little", "llm_auth", "set SUPPORT_LLM_API_KEY"),
        ("openai:little", "llm_bad_request", "check SUPPORT_LLM_SMALL_MODEL"),
    ],
)
def test_the_variable_of_that_very_model_is_named(model: str, code: str, variable: str) -> None:
    (figure,) = shown_models((ModelUse(model, 1, 0, {code: 1}),), (), ASKED).figures
    assert figure.words.endswith(f": {variable}")


def test_a_model_that_is_asked_no_more_needs_no_mending() -> None:
    assert shown_models((ModelUse("openai:old", 1, 0, {"llm_auth": 1}),), (), ASKED).figures == ()


def limited(spend: Spend) -> Asked:
    return replace(ASKED, limit_usd=2.6, reached=partial(spend.reached, limit_usd=2.6))


def test_a_limit_is_reached_by_what_all_workspaces_spent_and_theirs_is_not_told() -> None:
    spend = Spend()
    spend.restate({"openai:big": 2_500_000})
    (figure, *_) = shown_models((), USED, limited(spend)).figures
    assert figure.words == "openai this month; the limit of $2.60 for all workspaces together is not reached"
    assert figure.tone is Tone.PLAIN
    spend.restate({"openai:big": 9_990_000, "anthropic:other": 2_600_000})
    told = [(one.value, one.words, one.tone) for one in shown_models((), USED, limited(spend)).figures]
    over = "this month: the limit of $2.60 for all workspaces together is reached, it is not asked any more"
    assert told == [("$0.00", f"anthropic {over}", Tone.BAD), ("$2.50", f"openai {over}", Tone.BAD)]


def test_costs_are_told_by_intent_and_by_ticket() -> None:
    costs = (IntentCost("order_status", 5, 4, 40_000), IntentCost("", 1, 1, 10_000))
    told = shown_models(USED, (), ASKED, costs)
    assert ("$0.0100", "a ticket that a paid model was asked for") in [(one.value, one.words) for one in told.figures]
    assert [(row.words, row.count, row.share) for row in told.tables[1].rows] == [
        ("order status, $0.04, $0.0100 each", 4, 100),
        ("not read, $0.01, $0.0100 each", 1, 25),
    ]

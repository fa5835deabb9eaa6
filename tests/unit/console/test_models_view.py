from api.console.views.models import ModelsView, shown_models
from approvals.wording import Tone
from db.read_models.model_cost import IntentCost
from db.read_models.model_use import ModelUse

USED = (ModelUse("openai:big", 3, 2_500_000, {"llm_auth": 2}), ModelUse("extractive", 9))


def test_without_a_model_there_is_nothing_to_show() -> None:
    assert shown_models((ModelUse("extractive", 9),), (), None) == ModelsView()


def test_a_key_that_is_refused_is_told_with_what_to_do() -> None:
    told = shown_models(USED, USED, None)
    assert [(one.value, one.words, one.tone) for one in told.figures] == [
        ("$2.50", "openai this month", Tone.PLAIN),
        ("2", "openai:big does not accept the key: set SUPPORT_LLM_API_KEY", Tone.BAD),
    ]
    assert [row.words for table in told.tables for row in table.rows] == ["openai:big, $2.50, 2 failed"]


def test_a_limit_that_is_reached_is_told() -> None:
    (figure, *_) = shown_models((), USED, 2.5).figures
    assert figure.words == "openai this month, of $2.50: the limit is reached, it is not asked any more"
    assert figure.tone is Tone.BAD
    assert shown_models((), USED, 2.6).figures[0].tone is Tone.PLAIN


def test_costs_are_told_by_intent_and_by_ticket() -> None:
    costs = (IntentCost("order_status", 5, 4, 40_000), IntentCost("", 1, 1, 10_000))
    told = shown_models(USED, (), None, costs)
    assert ("$0.0100", "a ticket that a paid model was asked for") in [(one.value, one.words) for one in told.figures]
    assert [(row.words, row.count, row.share) for row in told.tables[1].rows] == [
        ("order status, $0.04, $0.0100 each", 4, 100),
        ("not read, $0.01, $0.0100 each", 1, 25),
    ]

"""A person's edit: judged by the same checks, kept to the letter, blocked only by what nobody may send."""

import pytest

from support_agents.domain.sections import Check, CheckResult, ComplianceSection, Verdict
from support_agents.edits import grounded, judged
from tests.fixtures.drafting import RETURNS, drafting_given, order, passage


def checked(**results: CheckResult) -> ComplianceSection:
    checks = tuple(Check(name=name, result=result) for name, result in results.items())
    return ComplianceSection(verdict=Verdict.BLOCKED, checks=checks)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ({"citation_or_fact": CheckResult.PASSED}, Verdict.PASS),
        ({"citation_or_fact": CheckResult.FAILED}, Verdict.FLAGGED),
        ({"citation_or_fact": CheckResult.FAILED, "no_internal": CheckResult.FAILED}, Verdict.BLOCKED),
        ({"no_other_person": CheckResult.FAILED}, Verdict.BLOCKED),
    ],
)
def test_only_what_nobody_may_send_blocks_an_edit(results: dict[str, CheckResult], verdict: Verdict) -> None:
    assert judged(checked(**results)).verdict is verdict


def test_the_words_stay_and_each_sentence_gets_what_bears_it() -> None:
    case = drafting_given("Can I return it?", "return_request", order=order(), passages=(passage(RETURNS),))
    bought = order().order_id
    quote = "You can return an item within 30 days of delivery."
    first, second, third = grounded(f"Your order {bought} is on my desk. {quote} The moon is made of cheese.", case)
    assert [first.text, second.text, third.text] == [
        f"Your order {bought} is on my desk.",
        quote,
        "The moon is made of cheese.",
    ]
    assert "order.order_id" in first.facts
    assert [citation.quote for citation in second.citations] == [quote]
    assert (third.citations, third.facts, third.courtesy) == ((), (), False)

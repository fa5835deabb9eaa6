"""One of two questions answered and the other named as open: only where the first is sure and the second is one."""

import pytest

from support_agents.agents.compliance import ComplianceAgent
from support_agents.composing.choosing import Choice
from support_agents.composing.circumstances import Circumstances
from support_agents.composing.partial import partly
from support_agents.domain.action import IssueRefund
from support_agents.domain.money import Money
from support_agents.domain.sections import ComplianceGiven, Sentence
from support_agents.wording.phrases import phrases_of
from tests.fixtures.drafting import TODAY, drafting_given
from tests.unit.composing.test_choosing import FREE, RETURN, matched, names

OTHER = "And do you plant trees?"
REFUND = IssueRefund(
    order_id="HW-1",
    order_version="1",
    payment_ref="P",
    account_last4="1234",
    amount=Money(minor=100, currency="EUR"),
    clauses=(),
)


def half(second: str, *, score: float = 0.6, other: float = 0.2, refunding: bool = False) -> Choice | None:
    found = matched(f"{RETURN} {second}", (RETURN, {"returning": score}), (second, {"label": other}))
    case = Circumstances.of(
        found.told.text, order=None, facts=(), actions=(REFUND,) if refunding else (), attached=False, today=TODAY
    )
    return partly(found, case, {}, words=90)


def test_the_second_question_is_named_as_open() -> None:
    choice = half(OTHER)
    assert names(choice) == ["returning"]
    assert choice is not None
    assert [(one.text, one.topic) for one in choice.opened] == [(OTHER, "other")]


@pytest.mark.parametrize(
    "second", ["Is that right?", "I am going away on Friday.", "How many days to return the item?"]
)
def test_what_is_no_question_of_its_own_is_not(second: str) -> None:
    assert half(second) is None


def test_an_unsure_answer_or_a_proposal_beside_it_leaves_it_to_a_person() -> None:
    assert half(OTHER, score=0.4) is None
    assert half(OTHER, refunding=True) is None


def test_the_first_question_must_be_the_one_that_is_answered() -> None:
    found = matched(f"{OTHER} {FREE}", (OTHER, {"label": 0.2}), (FREE, {"label": 0.6}))
    case = Circumstances.of(found.told.text, order=None, facts=(), actions=(), attached=False, today=TODAY)
    assert partly(found, case, {}, words=90) is None


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_the_sentence_is_ours_and_names_the_topic(language: str) -> None:
    phrases = phrases_of(language)
    assert phrases is not None
    drafting = drafting_given("Where is it?", "order_status", language=language)
    given = ComplianceGiven(drafting=drafting, customer_email="anna@example.com", source_language=language)
    for topic in ("other", "nothing_we_name", *phrases.tree["topic"]):
        said = phrases.opened(topic)
        assert phrases.is_open(said)
        assert ComplianceAgent().check(Sentence(text=said, facts=("open.1",)), 1, given).keep, said
    assert phrases.opened("refund_status") != phrases.opened("other") == phrases.opened("nothing_we_name")
    assert not phrases.is_open("")

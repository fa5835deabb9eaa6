"""Choosing macros: clearly ahead, in a case that holds, every ask answered, and nothing joined that overlaps."""

from collections.abc import Sequence

import numpy as np
import pytest

from support_agents.composing.binding import bind
from support_agents.composing.choosing import SURE, Choice, Match, Matched, Wish, case_of, choose
from support_agents.composing.circumstances import Circumstances
from support_agents.composing.explaining import Told, Vocabulary
from support_agents.composing.matching import Matcher, Piece
from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.domain.macro import BoundCase, BoundMacro, BoundSentence, Macro, MacroCase, MacroSentence, When
from support_agents.domain.orders import OrderStatus
from support_agents.wording.filler import filler_of
from tests.fixtures.drafting import CANCEL, COSTS, RETURNS, TODAY, order, passage

UNSURE = IntentScore(name=UNKNOWN, probability=1.0)


def macro(identifier: str, article: str, sentence: str, questions: Sequence[str], when: When | None = None) -> Macro:
    said = MacroSentence(text=sentence, articles=(article,))
    return Macro(
        id=identifier,
        language="en",
        intents=(f"{identifier}_intent",),
        questions=tuple(questions),
        cases=(MacroCase(name="general", when=when or When(), sentences=(said,)),),
        version="1",
    )


RETURNING = macro(
    "returning",
    "returns",
    "You can return an item within 30 days of delivery.",
    ["Can I return the item?", "Will you take the item back?", "May I send it back?", "How many days to return?"],
)
LABEL = macro(
    "label",
    "costs",
    "A return label costs €3.95 only if you are not a Gold member.",
    ["What does the label cost?", "Who pays the label?", "Is the label free?", "Does Gold pay for the label?"],
)
CANCELLING = macro(
    "cancelling",
    "cancel",
    "You can cancel an order free of charge as long as its status is Processing.",
    ["Can I cancel?", "Stop my order please", "I want to cancel the order", "Is it too late to cancel?"],
    When(order=(OrderStatus.PROCESSING,)),
)
BOUND = bind(
    [RETURNING, LABEL, CANCELLING],
    [
        passage(RETURNS, title="returns").passage,
        passage(COSTS, title="costs").passage,
        passage(CANCEL, title="cancel").passage,
    ],
)
BY_ID = {one.macro.id: one for one in BOUND.macros}
VOCABULARY = Vocabulary.of(BOUND.macros, filler_of("en"))


def matched(text: str, *wishes: tuple[str, dict[str, float]]) -> Matched:
    found = []
    for place, (said, scores) in enumerate(wishes, start=1):
        ranked: list[tuple[BoundMacro, float]] = sorted(
            ((BY_ID[name], score) for name, score in scores.items()), key=lambda one: -one[1]
        )
        found.append(Match(Wish(place, said, UNSURE, ()), tuple(ranked)))
    return Matched(tuple(found), Told(text, "en", tuple(said for said, _ in wishes)), VOCABULARY)


def chosen(found: Matched, *, status: OrderStatus | None = None, words: int = 90) -> Choice | None:
    case = Circumstances.of(
        found.told.text,
        order=order(status=status) if status else None,
        facts=(),
        actions=(),
        attached=False,
        today=TODAY,
    )
    return choose(found, case, {}, words=words)


def names(choice: Choice | None) -> list[str]:
    return [one.identity.split("/", maxsplit=1)[0] for one in choice.macros] if choice else []


RETURN, FREE = "Can I return the item?", "What does the label cost?"


def test_a_macro_that_is_like_the_ask_and_ahead_is_chosen() -> None:
    assert names(chosen(matched(RETURN, (RETURN, {"returning": 0.6, "label": 0.3})))) == ["returning"]


@pytest.mark.parametrize("scores", [{"returning": SURE - 0.01}, {"returning": 0.6, "label": 0.55}])
def test_one_that_is_unlike_or_hardly_ahead_is_not(scores: dict[str, float]) -> None:
    assert chosen(matched(RETURN, (RETURN, scores))) is None


def test_two_asks_take_two_macros_or_none() -> None:
    both = matched(f"{RETURN} {FREE}", (RETURN, {"returning": 0.6}), (FREE, {"label": 0.6}))
    assert names(chosen(both)) == ["returning", "label"]
    half = matched(f"{RETURN} {FREE}", (RETURN, {"returning": 0.6}), (FREE, {"label": 0.2}))
    assert chosen(half) is None


def test_what_nothing_else_comes_near_may_leave_more_unsaid() -> None:
    text = "Can I return the item, it is for the Gold card?"
    assert names(chosen(matched(text, (text, {"returning": 0.6, "label": 0.2})))) == ["returning"]
    assert chosen(matched(text, (text, {"returning": 0.6, "label": 0.5}))) is None
    assert chosen(matched(text, (text, {"returning": 0.4}))) is None


def test_what_no_word_of_the_reply_accounts_for_stops_it() -> None:
    text = "Can I return the item, what does the Gold label cost?"
    assert chosen(matched(text, (text, {"returning": 0.6}))) is None


def test_a_case_that_does_not_hold_is_not_written_from() -> None:
    found = matched("Can I cancel?", ("Can I cancel?", {"cancelling": 0.7}))
    assert names(chosen(found, status=OrderStatus.PROCESSING)) == ["cancelling"]
    assert chosen(found, status=OrderStatus.SHIPPED) is None


def test_a_reply_that_is_too_long_is_none() -> None:
    assert chosen(matched(RETURN, (RETURN, {"returning": 0.6})), words=5) is None


def test_macros_of_one_topic_are_not_joined() -> None:
    again = RETURNING.model_copy(update={"id": "again"})
    twin = BoundMacro(macro=again, cases=BY_ID["returning"].cases)
    text = f"{RETURN} May I send it back?"
    first = Match(Wish(1, RETURN, UNSURE, ()), ((BY_ID["returning"], 0.7),))
    second = Match(Wish(2, "May I send it back?", UNSURE, ()), ((twin, 0.7),))
    assert names(chosen(Matched((first, second), Told(text, "en"), VOCABULARY))) == ["returning"]


def test_an_example_question_is_likest_to_its_own_macro() -> None:
    macros = [RETURNING, LABEL, CANCELLING]
    questions = [question for one in macros for question in one.questions]
    vectors = np.eye(len(questions), dtype=np.float32)
    matcher = Matcher.of(macros, vectors)
    owners = [at for at, one in enumerate(macros) for _ in one.questions]
    best = [int(matcher.scores(Piece(text, vectors[at])).argmax()) for at, text in enumerate(questions)]
    assert best == owners


def test_a_piece_of_less_weight_is_less_like_everything() -> None:
    macros = [RETURNING, LABEL]
    vectors = np.eye(8, dtype=np.float32)
    matcher = Matcher.of(macros, vectors)
    whole, part = (matcher.scores(Piece(RETURN, vectors[0], weight)) for weight in (1.0, 0.5))
    assert part == pytest.approx(whole / 2)


@pytest.mark.parametrize(("text", "said"), [("by card?", ["card"]), ("by PayPal?", ["PayPal"]), ("how?", [])])
def test_a_sentence_that_serves_another_case_is_left_out(text: str, said: list[str]) -> None:
    ways = {name: said_when(name, When(words=((name.casefold(),),))) for name in ("card", "PayPal")}
    bound = BoundCase(name="general", when=When(), sentences=tuple(ways.values()), passages=())
    one = RETURNING.model_copy(update={"cases": (MacroCase(name="general", when=When(), sentences=()),)})
    case = Circumstances.of(text, order=None, facts=(), actions=(), attached=False, today=TODAY)
    found = case_of(BoundMacro(macro=one, cases=(bound,)), case, {})
    assert [sentence.text for sentence in found.sentences] == said if found else said == []


def said_when(text: str, when: When) -> BoundSentence:
    return BoundSentence(text=text, citations=(), facts=(), spare=False, courtesy=False, paragraph=False, when=when)


@pytest.mark.parametrize(
    ("when", "text", "holds"),
    [
        (When(requested=False), "Can I cancel it?", True),
        (When(requested=False), "Please cancel it.", False),
        (When(places=("fr", "be")), "I live in France.", True),
        (When(places=("fr", "be")), "I live in Spain.", False),
        (When(centimetres=(100, 180)), "She is 165 cm.", True),
        (When(centimetres=(100, 180)), "He is 1.86 m.", False),
        (When(centimetres=(100, 180)), "He is tall.", False),
    ],
)
def test_conditions_look_at_what_the_message_says(when: When, text: str, holds: bool) -> None:  # noqa: FBT001
    case = Circumstances.of(text, order=None, facts=(), actions=(), attached=False, today=TODAY)
    assert case.hold(when) is holds


def test_a_carrier_is_that_of_the_order() -> None:
    when = When(carrier=("DHL",))
    holds = [
        Circumstances.of("", order=one, facts=(), actions=(), attached=False, today=TODAY).hold(when)
        for one in (order(carrier="DHL"), order(carrier="GLS"), None)
    ]
    assert holds == [True, False, False]


def test_a_condition_that_asks_for_nothing_holds_however_it_was_written() -> None:
    case = Circumstances.of("", order=None, facts=(), actions=(), attached=False, today=TODAY)
    written_out = When.model_validate(When().model_dump())
    assert written_out.model_fields_set == {*When.model_fields}
    assert case.hold(When())
    assert case.hold(written_out)
    assert not case.hold(When().model_copy(update={"attached": True}))

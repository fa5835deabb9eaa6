"""A reply of true sentences to another question: it is held back by what happened, and by what was asked for."""

import pytest

from support_agents.composing.explaining import Told
from support_agents.composing.misfits import misfit
from support_agents.domain.macro import BoundCase, BoundMacro, BoundSentence, Macro, When


def taken(*sentences: str, questions: tuple[str, ...]) -> list[tuple[BoundMacro, BoundCase]]:
    macro = Macro(id="m", language="en", intents=(), questions=questions, cases=(), version="1")
    bound = tuple(
        BoundSentence(text=one, citations=(), facts=(), spare=False, courtesy=False, paragraph=False)
        for one in sentences
    )
    return [(BoundMacro(macro=macro, cases=()), BoundCase(name="c", when=When(), sentences=bound, passages=()))]


RETURNING = taken("You can return your order until 15 December.", questions=("Can I still return it?",))
SAID = "You can return your order until 15 December."


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("One of the poles isn't there. Do I need to send the whole tent back?", "missing"),
        ("The lid arrived cracked. Can I send it back?", "damaged"),
        ("It stopped working after a week. Can I send it back?", "faulty"),
        ("You sent me the wrong size, can I send it back?", "wrong_sent"),
        ("Es fehlt eine Stange. Muss ich das ganze Zelt zurückschicken?", "missing"),
        ("Me ha llegado rota, ¿la puedo devolver?", "damaged"),
        ("Il manque un piquet, dois-je tout renvoyer ?", "missing"),
    ],
)
def test_a_reply_to_another_cause_is_none(text: str, cause: str) -> None:
    assert cause in misfit(Told(text, "en"), RETURNING, SAID)


def test_a_macro_that_is_asked_about_the_cause_answers_it() -> None:
    part = taken("No, you need not send it all back.", questions=("One of the poles isn't there",))
    assert misfit(Told("One of the poles isn't there, must I send it all back?", "en"), part, "No, you need not.") == ""


def test_what_did_not_happen_is_no_cause() -> None:
    assert misfit(Told("It is not damaged, I just don't like it. Can I return it?", "en"), RETURNING, SAID) == ""


@pytest.mark.parametrize("ask", ["How long do you keep it for me?", "How many days do I have?", "Bis wann geht das?"])
def test_a_length_of_time_that_is_asked_for_must_be_given(ask: str) -> None:
    told = Told(ask, "en", (ask,))
    assert misfit(told, RETURNING, "Our store is open on Sunday.")
    assert misfit(told, RETURNING, "We keep it for 7 days.") == ""
    assert misfit(told, RETURNING, "We keep it until 15 December.") == ""


@pytest.mark.parametrize("ask", ["How much is delivery to Cork?", "Do I have to pay the postage?", "Was kostet das?"])
def test_a_price_that_is_asked_for_must_be_given(ask: str) -> None:
    told = Told(ask, "en", (ask,))
    assert misfit(told, RETURNING, "Delivery takes 4–6 working days.")
    assert misfit(told, RETURNING, "Delivery costs €4.95.") == ""
    assert misfit(told, RETURNING, "A return is free of charge.") == ""


def test_an_address_that_was_given_is_not_asked_for() -> None:
    told = Told("Please send it to 04177 Leipzig instead", "en")
    said = "Please reply with the new address."
    assert "address" in misfit(told, taken(said, questions=("Another address",)), said)


@pytest.mark.parametrize(
    "text",
    ["Did you ever refund that?", "Haben Sie mir das Geld schon erstattet?", "Le remboursement est parti ?"],
)
def test_whoever_asks_if_it_was_done_is_not_told_that_it_was_where_it_is_only_now(text: str) -> None:
    refunding = taken("We have refunded it.", questions=("Where is my refund?",))
    macro, case = refunding[0]
    sentence = case.sentences[0].model_copy(update={"facts": ("action.refund",)})
    stating = [(macro, case.model_copy(update={"sentences": (sentence,)}))]
    assert misfit(Told(text, "en"), stating, "We have refunded it.")
    assert misfit(Told(text, "en"), stating, "It was not refunded until today.") == ""
    assert misfit(Told("When do I get my money?", "en"), stating, "We have refunded it.") == ""


REFUNDED = "We have already refunded €69.80 to the payment method you used."
MONEY = taken(REFUNDED, questions=("Where is my refund?",))


def test_a_refund_that_the_message_tells_of_is_no_answer_to_it() -> None:
    told = Told("You wrote that the money has been sent back, but my bank gave me another card. What happens?", "en")
    assert "tells itself" in misfit(told, MONEY, REFUNDED)
    assert misfit(Told("Where is my refund?", "en"), MONEY, REFUNDED) == ""


def test_a_yes_needs_a_question_after_the_same_thing() -> None:
    yes = f"Yes, {REFUNDED}"
    said = taken(yes, questions=("Have you refunded me?",))
    assert "yes or no" in misfit(Told("Does the money end up nowhere now?", "en"), said, yes)
    assert misfit(Told("Have you refunded me already?", "en"), said, yes) == ""


def test_a_further_request_must_be_taken_up() -> None:
    told = Told("Where is my refund? And could you transfer it to a different account instead?", "en")
    assert "what else is asked" in misfit(told, MONEY, REFUNDED)
    answer = f"{REFUNDED} It is not possible to transfer it to a different account."
    assert misfit(told, taken(answer, questions=("Where is my refund?",)), answer) == ""

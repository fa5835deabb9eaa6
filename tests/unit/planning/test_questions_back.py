"""When a message gets a question back instead of an answer, and which."""

from typing import Any

import pytest

from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import OrderAnswer
from tests.fixtures.drafting import order
from tests.fixtures.planning import ANNA, RETURNED, planned


@pytest.mark.parametrize(
    ("text", "intent", "answer", "needed"),
    [
        ("where is it", "order_status", OrderAnswer.NOT_ASKED, True),
        ("where is it", "order_status", OrderAnswer.UNKNOWN, True),
        ("How long does a refund take?", "refund_status", OrderAnswer.NOT_ASKED, False),
        ("Wie lange dauert eine Erstattung?", "refund_status", OrderAnswer.NOT_ASKED, False),
        ("How long does the refund for my order take?", "refund_status", OrderAnswer.NOT_ASKED, True),
        ("How long does a refund take?", "refund_status", OrderAnswer.UNKNOWN, True),
        ("cancel it", "cancel_order", OrderAnswer.NOT_ASKED, True),
        ("How can I cancel an order?", "cancel_order", OrderAnswer.NOT_ASKED, False),
        ("How can I cancel an order?", "cancel_order", OrderAnswer.UNKNOWN, True),
        ("can I return it", "return_request", OrderAnswer.NOT_ASKED, False),
        ("gift cards?", "gift_card", OrderAnswer.NOT_ASKED, False),
    ],
)
def test_an_order_number_is_asked_for_where_it_decides(
    text: str, intent: str, answer: OrderAnswer, *, needed: bool
) -> None:
    assert planned(text, intent, order_answer=answer).needs_order_id is needed


@pytest.mark.parametrize(
    ("language", "joined"), [("en", "or"), ("de", "oder"), ("es", "o"), ("fr", "ou"), ("it", "or")]
)
def test_several_orders_are_named_in_the_question(language: str, joined: str) -> None:
    lamp, kettle = order(order_id="HW-1", item="Lamp"), order(order_id="HW-2", item="Kettle")
    changes: dict[str, Any] = {"order_answer": OrderAnswer.SEVERAL, "among": (lamp, kettle), "language": language}
    section = planned("I would like to return my order", "return_request", **changes)
    assert section.needs_order_id
    assert [(fact.name, fact.value) for fact in section.facts] == [
        ("several_orders", f"Lamp (HW-1) {joined} Kettle (HW-2)")
    ]
    many = planned("I would like to return my order", "return_request", **changes | {"among": (lamp,) * 5})
    assert (many.needs_order_id, many.facts) == (True, ())


@pytest.mark.parametrize("facts", [None, RETURNED])
def test_a_message_that_says_too_little_gets_its_one_question(facts: OrderFacts | None) -> None:
    section = planned("I'm not happy with the lamp, what can you do?", "complaint", facts=facts)
    assert (section.needs_order_id, section.question, section.actions) == (True, "what_is_wrong", ())


def test_who_cannot_reach_the_mailbox_of_the_order_is_not_asked_to_write_from_it() -> None:
    stranger: dict[str, Any] = {
        "requester": ANNA.model_copy(update={"verified": False}),
        "order_answer": OrderAnswer.NOT_THEIRS,
    }
    assert planned("Where is my order? I can't get into my old mailbox", "order_status", **stranger).hand_off
    assert planned("Where is my order?", "order_status", **stranger).hand_off is None


@pytest.mark.parametrize(
    "text",
    [
        "I'm thinking about the bench. If it is too wide, when would I have the refund?",
        "Before I order: would you refund the postage if it is late?",
        "Bevor ich bestelle: bekomme ich mein Geld zurück, wenn die Lieferung zu spät kommt?",
        "Antes de comprar, ¿me devolvéis el dinero si llega tarde?",
        "Avant de commander, me remboursez-vous si la livraison est en retard ?",
    ],
)
def test_who_asks_before_buying_is_not_asked_for_an_order(text: str) -> None:
    assert not planned(text, "refund_status").needs_order_id


def test_who_has_ordered_is_asked_for_the_order() -> None:
    assert planned(
        "I ordered a bench and am thinking about the colour, where is my refund?", "refund_status"
    ).needs_order_id


@pytest.mark.parametrize(
    "text",
    [
        "My husband David bought a tent from you, where is it now?",
        "Mein Mann hat bei Ihnen ein Zelt gekauft, wo ist es?",
        "Mi marido os ha comprado una tienda, ¿dónde está?",
        "Mon mari vous a acheté une tente, où est-elle ?",
    ],
)
def test_somebody_elses_order_is_for_a_person(text: str) -> None:
    stranger = ANNA.model_copy(update={"verified": False})
    asked = planned(text, "order_status", order_answer=OrderAnswer.NOT_THEIRS, requester=stranger)
    assert asked.hand_off == "somebody else's order is asked about"
    assert not asked.needs_order_id
    own = planned(
        "Where is the tent I ordered?", "order_status", order_answer=OrderAnswer.NOT_THEIRS, requester=stranger
    )
    assert own.hand_off is None


def test_what_is_to_be_cancelled_is_asked_unless_the_order_is_known() -> None:
    bare = "I'd like to cancel please"
    assert planned(bare, "cancel_order").question == "what_to_cancel"
    assert planned(bare, "cancel_order", facts=order(status=OrderStatus.PROCESSING)).question == ""
    assert planned("Please cancel my order", "cancel_order").question == ""

"""Golden replies: what the extractive drafter writes of a small shop's facts and passages, to the letter."""

from datetime import timedelta

import pytest

from support_agents.composing.reply import MOST_WORDS, compose
from support_agents.domain.action import ClauseRef, IssueRefund
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderStatus
from support_agents.domain.sections import ComputedFact, DraftingGiven, OrderAnswer
from support_agents.domain.ticket import Channel
from support_agents.domain.voice import Voice
from tests.fixtures.drafting import CANCEL, DAMAGE, TODAY, drafting_given, order, passage

SHIPPED = order(status=OrderStatus.SHIPPED, delivered_on=None)
REFUND = IssueRefund(
    order_id="HW-10423",
    order_version="v1",
    payment_ref="PAY-1",
    account_last4="6031",
    amount=Money(minor=6_490, currency="EUR"),
    clauses=(ClauseRef(id="returns", version=1),),
)


async def body(given: DraftingGiven) -> str:
    """The reply between greeting and closing."""
    text = await compose(given, None)
    if not text:
        return ""
    return "\n\n".join(text.split("\n\n")[1:-1])


async def test_the_status_of_an_order_is_stated_from_the_order_system() -> None:
    text = await compose(drafting_given("Where is my order?", "order_status", order=SHIPPED), None)
    assert text == (
        "Hi Anna,\n\n"
        "Your order HW-10423 (Glow lantern) was shipped on 9 November with DHL; the tracking number is JD014600. "
        "[order.status][order.order_id][order.item][order.shipped_on][order.carrier][order.tracking]\n\n"
        "Kind regards,\nCustomer Care"
    )


async def test_a_shipped_order_is_not_told_how_to_cancel() -> None:
    case = drafting_given("Please cancel it", "cancel_order", order=SHIPPED, passages=(passage(CANCEL),))
    reply = await body(case)
    assert "was shipped on 9 November" in reply
    assert "free of charge" not in reply
    assert "Customers" not in reply


async def test_an_order_in_processing_is_told_that_the_condition_is_met() -> None:
    waiting = order(status=OrderStatus.PROCESSING, shipped_on=None, delivered_on=None)
    facts = (ComputedFact(name="cancel_possible", value="yes", inputs={}),)
    case = drafting_given("Please cancel it", "cancel_order", order=waiting, facts=facts, passages=(passage(CANCEL),))
    reply = await body(case)
    assert reply.startswith("Your order HW-10423 (Glow lantern) has not been shipped yet, so you can still cancel it.")
    assert "as long as" not in reply


async def test_what_the_order_no_longer_allows_is_said_before_anything_else() -> None:
    facts = (ComputedFact(name="cancel_possible", value="no", inputs={}),)
    reply = await body(drafting_given("Please cancel it", "cancel_order", order=SHIPPED, facts=facts))
    assert "was shipped on 9 November, so it can no longer be cancelled. [order.status][fact.cancel_possible]" in reply


async def test_an_exchange_for_another_product_is_no_exchange() -> None:
    facts = tuple(
        ComputedFact(name=f"{name}_deadline", value=(TODAY + timedelta(days=5)).isoformat(), inputs={})
        for name in ("exchange", "return")
    )
    case = drafting_given(
        "I'd rather have a tent instead of the lantern, can we swap?", "exchange_request", order=order(), facts=facts
    )
    reply = await body(case)
    assert "You can return your order" in reply
    assert "You can exchange" not in reply


async def test_an_intent_that_no_word_of_the_message_bears_out_is_not_answered() -> None:
    case = drafting_given("When exactly do you charge my card?", "double_charge", passages=(passage(DAMAGE),))
    assert await compose(case, None) == ""


async def test_a_proposed_refund_is_stated_as_done_with_its_mark() -> None:
    returned = order(status=OrderStatus.RETURNED)
    case = drafting_given("Please refund me", "refund_request", order=returned, actions=(REFUND,))
    reply = await body(case)
    assert "We have refunded €64.90 to the payment method you used, ending in 6031. [action.refund]" in reply


async def test_without_a_proposal_no_refund_is_spoken_of() -> None:
    returned = order(status=OrderStatus.RETURNED)
    reply = await body(drafting_given("Please refund me", "refund_request", order=returned))
    assert "refunded" not in reply


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (
            5,
            "You can return your order HW-10423 (Glow lantern), which was delivered on 12 November, until 27 November.",
        ),
        (-5, "The 30-day return period for your order HW-10423 (Glow lantern) ended on 17 November."),
    ],
)
async def test_the_customers_own_deadline_is_told(days: int, expected: str) -> None:
    deadline = (TODAY + timedelta(days=days)).isoformat()
    facts = (
        ComputedFact(name="return_deadline", value=deadline, inputs={}),
        ComputedFact(name="return_window_days", value="30", inputs={}),
    )
    assert expected in await body(drafting_given("Can I return it?", "return_request", order=order(), facts=facts))


async def test_an_excepted_item_gets_no_general_rule() -> None:
    deadline = (ComputedFact(name="return_deadline", value="2026-12-12", inputs={}),)
    excepted = passage("- gift cards,\n- engraved boards,", heading="Items you cannot return")
    for item, answer in (("Oak board, engraved", False), ("Oak board", True), ("Glow lantern", True)):
        case = drafting_given(
            "Can I return it?", "return_request", order=order(item=item), facts=deadline, passages=(excepted,)
        )
        assert bool(await body(case)) is answer, item


async def test_damage_is_met_with_sympathy_the_way_to_report_it_and_one_question() -> None:
    case = drafting_given("It arrived broken", "damaged_item", order=order(), passages=(passage(DAMAGE),))
    assert await compose(case, None) == (
        "Hi Anna,\n\n"
        "I'm sorry that your order did not reach you in perfect condition.\n\n"
        "Please report a damaged item within 14 days of delivery and add photos. [1] "
        "You can choose between a free replacement and a full refund for a damaged item. [1]\n\n"
        "Which would you prefer?\n\n"
        "Kind regards,\nCustomer Care"
    )


async def test_what_is_attached_is_not_asked_for_again() -> None:
    case = drafting_given(
        "It arrived broken", "damaged_item", order=order(), passages=(passage(DAMAGE),), attachments=("dent.jpg",)
    )
    assert "photo" not in await body(case)


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        (OrderAnswer.NOT_ASKED, "Could you please send us your order number, so that we can look into it?"),
        (OrderAnswer.UNKNOWN, "I could not find an order with that number. Could you please check it"),
        (OrderAnswer.NOT_THEIRS, "Could you please write to us from the e-mail address you used for the order"),
    ],
)
async def test_a_missing_order_is_one_question_and_nothing_else(answer: OrderAnswer, question: str) -> None:
    case = drafting_given(
        "Where is it?", "order_status", needs_order_id=True, order_answer=answer, passages=(passage(CANCEL),)
    )
    text = await compose(case, None)
    assert question in text
    assert "[1]" not in text


async def test_an_ask_without_an_answer_is_named_as_open() -> None:
    case = drafting_given("Where is it, and my invoice?", "order_status", "invoice_request", order=SHIPPED)
    assert (
        "Your question about your invoice is with a colleague, who will answer it separately. [open.2]"
        in await compose(case, None)
    )


@pytest.mark.parametrize(
    "case",
    [
        drafting_given("Thanks!", "thanks"),
        drafting_given("What is the meaning of life?", "unknown", passages=(passage(CANCEL),)),
        drafting_given("Vad ska jag göra?", "return_request", language="sv", passages=(passage(CANCEL),)),
        drafting_given("Wie geht das?", "gift_card", language="de", passages=(passage(CANCEL),)),
        drafting_given("x", passages=(passage(CANCEL),)),
    ],
    ids=["thanks", "nothing fits", "language we do not write", "evidence in another language", "no ask"],
)
async def test_no_answer_is_no_draft(case: DraftingGiven) -> None:
    assert await compose(case, None) == ""


async def test_the_language_is_the_customers() -> None:
    text = await compose(drafting_given("Wo ist mein Paket?", "order_status", language="de", order=SHIPPED), None)
    assert text.startswith("Guten Tag Anna,\n\nIhre Bestellung HW-10423 (Glow lantern) wurde am 9. November mit DHL")
    text = await compose(drafting_given("¿Dónde está?", "order_status", language="es", order=SHIPPED), None)
    assert "se envió el 9 de noviembre con DHL" in text
    text = await compose(drafting_given("Où est-elle ?", "order_status", language="fr", order=SHIPPED), None)
    assert "a été expédiée le 9 novembre avec DHL" in text
    for language, asked, said in (
        ("it", "Dov'è il mio pacco?", "è stato spedito il 9 novembre con DHL"),
        ("nl", "Waar is mijn pakket?", "is op 9 november verzonden met DHL"),
        ("pl", "Gdzie jest moja paczka?", "zostało wysłane 9 listopada przez DHL"),
        ("pt", "Onde está a minha encomenda?", "foi enviada a 9 de novembro pela DHL"),
    ):
        assert said in await compose(drafting_given(asked, "order_status", language=language, order=SHIPPED), None)


async def test_the_body_stays_short() -> None:
    long = tuple(
        passage(f"You can cancel an order free of charge as long as its status is Processing, way {n}. " * 3)
        for n in range(9)
    )
    case = drafting_given("Cancel it", "cancel_order", passages=long)
    reply = await body(case)
    assert 0 < len(reply.split()) <= MOST_WORDS
    assert len({mark for mark in reply.split() if mark.startswith("[")}) <= 2


RETURNING = (
    "You can return an item within 30 days of delivery, as long as it is unused and in the box that it came in.",
    "Your refund is paid within 5 working days after your return has arrived in our warehouse and was looked at.",
    "A return label costs 3.95 euros for an item, and the cost is taken off your refund when it is paid to you.",
)
ASKED = "How do I return an item within 30 days, what does a return label cost, and when is my refund paid?"


@pytest.mark.parametrize(("most", "quoted"), [({}, 2), ({Channel.CHAT: 70}, 3), ({Channel.CHAT: 30}, 1)])
async def test_a_chat_is_kept_to_its_words_by_leaving_out_whole_sentences(
    most: dict[Channel, int], quoted: int
) -> None:
    source = passage(" ".join(RETURNING), title="Returns")
    case = drafting_given(ASKED, "return_request", "return_cost", passages=(source,))
    email = (await body(case)).replace(" [1]", "")
    assert email == " ".join(RETURNING)
    chat = case.model_copy(update={"channel": "chat", "voice": Voice(most_words=most)})
    reply = (await body(chat)).replace(" [1]", "")
    kept = [sentence for sentence in RETURNING if sentence in reply]
    assert reply == " ".join(kept), "no part of a sentence stands without the rest"
    assert (len(kept), len(reply.split()) <= chat.voice.words_for("chat")) == (quoted, True)


async def test_the_best_answer_stands_whole_where_it_alone_is_longer_than_its_channel() -> None:
    source = passage(" ".join(RETURNING), title="Returns")
    voice = Voice(most_words={Channel.CHAT: 12})
    case = drafting_given("How do I return it?", "return_request", channel="chat", passages=(source,), voice=voice)
    assert await body(case) == f"{RETURNING[0]} [1]"

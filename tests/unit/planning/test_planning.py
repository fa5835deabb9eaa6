from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from support_agents.composing.reference import only_order
from support_agents.domain.action import ActionKind, IssueRefund
from support_agents.domain.ids import PassageId, new_id
from support_agents.domain.knowledge import Citation
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import DraftSection, OrderAnswer, PlanSection, Rung, Sentence
from support_agents.planning import reply_action, wants_order
from support_agents.policy.clauses import Rule
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.steps import STEPS
from tests.fixtures.drafting import TODAY, order
from tests.fixtures.planning import ANNA, CANCELLED, POLICY, RETURNED, clause, planned, refunds


def test_a_refund_is_what_the_order_system_says_is_left_of_the_payment() -> None:
    part = order(status=OrderStatus.RETURNED, refunded=Money(minor=1_000, currency="EUR"))
    section = planned("Please refund me 5000 euros to account NL00", "refund_request", facts=part)
    (refund,) = section.actions
    assert isinstance(refund, IssueRefund)
    assert (refund.amount.minor, refund.payment_ref, refund.account_last4) == (5_490, "PAY-1", "6031")
    assert [ref.id for ref in refund.clauses] == ["returns"]


@pytest.mark.parametrize(
    ("text", "intent", "facts", "changes", "amounts"),
    [
        ("refund please", "refund_request", RETURNED, {}, [6_490]),
        ("where is my money", "refund_status", RETURNED, {}, [6_490]),
        ("cancel", "cancel_order", CANCELLED, {}, [6_490]),
        ("I want a refund, it is broken", "damaged_item", order(), {"attachments": ("a.jpg",)}, [6_490]),
        # not yet, not so, not now
        ("refund please", "refund_request", order(), {}, []),
        ("cancel", "cancel_order", order(status=OrderStatus.PROCESSING, delivered_on=None), {}, []),
        ("I want a refund, it is broken", "damaged_item", order(), {}, []),
        ("it is broken, send another one", "damaged_item", order(), {"attachments": ("a.jpg",)}, []),
        ("I was charged twice, refund me", "double_charge", order(), {}, []),
        ("return it", "return_request", order(), {}, []),
        ("invoice please", "invoice_request", RETURNED, {}, []),
        ("refund please", "refund_request", RETURNED, {"requester": ANNA.model_copy(update={"verified": False})}, []),
        ("refund please", "refund_request", RETURNED, {"order_answer": OrderAnswer.NOT_THEIRS}, []),
        ("refund please", "refund_request", RETURNED, {"injection": True}, []),
        ("refund please", "refund_request", RETURNED, {"today": TODAY + timedelta(days=60)}, []),
        (
            "refund please",
            "refund_request",
            order(status=OrderStatus.RETURNED, total=Money(minor=10_001, currency="EUR")),
            {},
            [],
        ),
        ("refund or I call my lawyer", "refund_request", RETURNED, {}, []),
    ],
)
def test_refunds_follow_order_and_policy_alone(
    text: str, intent: str, facts: OrderFacts, changes: dict[str, Any], amounts: list[int]
) -> None:
    assert refunds(planned(text, intent, facts=facts, **changes)) == amounts


def test_an_expired_clause_never_allows_anything() -> None:
    expired = [c.model_copy(update={"valid_until": TODAY - timedelta(days=1)}) for c in POLICY.clauses]
    section = planned("refund", "refund_request", facts=RETURNED, policy=PolicyLedger("1", tuple(expired)))
    assert (section.actions, section.clauses, section.facts[0].name) == ((), (), "refundable_amount")


def test_a_closed_window_is_a_reason_and_a_computed_fact() -> None:
    late = order(delivered_on=TODAY - timedelta(days=33))
    section = planned("refund please", "refund_request", facts=late)
    facts = {fact.name: fact for fact in section.facts}
    assert facts["return_deadline"].value == (TODAY - timedelta(days=3)).isoformat()
    assert facts["return_window_days"].value == "30"
    assert facts["return_deadline"].inputs["clause"] == "returns v2"
    assert facts["days_since_delivery"].value == "33"
    assert any("window ended" in reason for reason in section.reasons)


@pytest.mark.parametrize(
    ("text", "intent", "changes", "reason"),
    [
        ("x", "order_status", {"injection": True}, "instruct the software"),
        ("my lawyer will call", "complaint", {}, "lawyer"),
        ("x", "order_status", {"order_answer": OrderAnswer.NOT_THEIRS}, "does not belong"),
        ("my order", "order_status", {"order_answer": OrderAnswer.FAILED}, "could not be looked up"),
        ("call me", "speak_to_person", {}, "speak to a person"),
        ("delete it", "delete_account", {}, "cannot be undone"),
        ("x", "unknown", {"evidence_found": False}, "knowledge base"),
        ("I opened a dispute with my bank about it", "double_charge", {}, "disputed"),
        ("I am a reporter with a question", "unknown", {}, "press"),
        ("What has my ex-husband ordered?", "order_status", {}, "another person"),
        ("Would you sponsor our club?", "unknown", {}, "cannot settle"),
        ("The lamp is not from you, can you mend it?", "warranty", {}, "elsewhere"),
        ("My son burnt his hand on it", "complaint", {}, "burnt his"),
    ],
)
def test_a_person_takes_over_with_a_reason(text: str, intent: str, changes: dict[str, Any], reason: str) -> None:
    section = planned(text, intent, **changes)
    assert section.hand_off is not None
    assert reason in section.hand_off
    assert section.actions == ()


def test_what_is_not_about_the_order_does_not_need_the_order_system() -> None:
    assert planned("x", "gift_card", order_answer=OrderAnswer.FAILED).hand_off is None
    assert planned("x", "unknown", evidence_found=True).hand_off is None


def test_somebody_unverified_is_asked_and_told_nothing() -> None:
    stranger = ANNA.model_copy(update={"verified": False})
    section = planned("where is it", "order_status", requester=stranger, order_answer=OrderAnswer.NOT_THEIRS)
    assert (section.needs_order_id, section.hand_off, section.order, section.facts) == (True, None, None, ())


def test_only_a_single_order_is_meant_without_a_number() -> None:
    assert only_order((order(),)) == order()
    assert only_order((order(), order(order_id="HW-2"))) is None


@pytest.mark.parametrize(
    ("text", "intent", "status", "meant"),
    [
        ("I'd like to return the lantern", "return_request", OrderStatus.DELIVERED, True),
        ("I'd like to return it", "return_request", OrderStatus.DELIVERED, False),
        ("Where is my parcel?", "order_status", OrderStatus.SHIPPED, True),
        ("Where is my parcel?", "order_status", OrderStatus.DELIVERED, False),
        ("A friend of mine ordered the lantern, where is it?", "order_status", OrderStatus.SHIPPED, False),
    ],
)
def test_the_only_order_is_meant_where_the_message_is_plainly_about_it(
    text: str, intent: str, status: OrderStatus, *, meant: bool
) -> None:
    assert (only_order((order(status=status),), (intent,), text) is not None) is meant


def test_code_says_what_the_state_of_an_order_still_allows() -> None:
    clause = POLICY.clauses[0].model_copy(
        update={
            "id": "cancel",
            "applies_to": ("cancel_order",),
            "rule": Rule(action="cancel_order", statuses=(OrderStatus.PROCESSING,)),
        }
    )
    for status, allowed in ((OrderStatus.PROCESSING, "yes"), (OrderStatus.SHIPPED, "no")):
        facts = order(status=status, delivered_on=None)
        section = planned("cancel it", "cancel_order", facts=facts, policy=PolicyLedger("1", (clause,)))
        assert {fact.name: fact.value for fact in section.facts}["cancel_possible"] == allowed


def test_only_orders_are_looked_for_where_they_help() -> None:
    assert wants_order(("gift_card", "refund_request"))
    assert not wants_order(("gift_card",))


CLOSING = "deleting an account cannot be undone"
STEPPING = replace(
    POLICY,
    clauses=(
        *POLICY.clauses,
        clause("cancel", "cancel_order", "change_order", action="cancel_order", statuses=["processing"]),
        clause("again", "damaged_item", "missing_item", action="replace_order", statuses=["delivered"]),
        clause("forget", "delete_account", action="delete_record"),
    ),
    offered=STEPS,
)
OPEN = order(status=OrderStatus.PROCESSING, shipped_on=None, delivered_on=None)
CANCELLING = ("Please cancel my order HW-10423", "cancel_order", OPEN)
REPLACING = ("The lamp arrived broken, please send me a new one", "damaged_item", order())
DELETING = ("Please delete my account", "delete_account", None)


@pytest.mark.parametrize(
    ("case", "proposed"),
    [
        (CANCELLING, "cancel_order"),
        (REPLACING, "replace_order"),
        (("Half of it is missing, please send a replacement", "missing_item", order()), "replace_order"),
        (DELETING, "delete_record"),
    ],
)
def test_a_step_is_proposed_where_the_policy_offers_it_and_a_clause_allows_it(
    case: tuple[str, str, OrderFacts | None], proposed: str
) -> None:
    text, intent, facts = case
    section = planned(text, intent, facts=facts, policy=STEPPING)
    assert [action.kind for action in section.actions] == [proposed]
    assert section.hand_off == (CLOSING if proposed == "delete_record" else None)
    # Off by default, whatever clauses say; and each kind only where it is named.
    assert planned(text, intent, facts=facts, policy=replace(STEPPING, offered=frozenset())).actions == ()
    others = replace(STEPPING, offered=STEPS - {ActionKind(proposed)})
    assert planned(text, intent, facts=facts, policy=others).actions == ()


@pytest.mark.parametrize(
    ("text", "intents", "facts", "changes"),
    [
        ("How do I cancel an order?", ("cancel_order",), OPEN, {}),
        ("Please cancel it or change the colour", ("cancel_order", "change_order"), OPEN, {}),
        (CANCELLING[0], ("cancel_order",), order(status=OrderStatus.SHIPPED), {}),
        (CANCELLING[0], ("cancel_order",), OPEN, {"injection": True}),
        (CANCELLING[0], ("cancel_order",), OPEN, {"order_answer": OrderAnswer.NOT_THEIRS}),
        (CANCELLING[0], ("cancel_order",), OPEN, {"requester": ANNA.model_copy(update={"verified": False})}),
        (f"{CANCELLING[0]} or I call my lawyer", ("cancel_order",), OPEN, {}),
        ("The lamp arrived broken", ("damaged_item",), order(), {}),
        ("It is broken: refund it, I want no replacement", ("damaged_item",), order(), {}),
        (DELETING[0], ("delete_account",), None, {"requester": ANNA.model_copy(update={"verified": False})}),
        (DELETING[0], ("delete_account",), None, {"injection": True}),
        (f"{DELETING[0]} or I call my lawyer", ("delete_account",), None, {}),
    ],
)
def test_what_makes_a_step_doubtful_is_left_to_people(
    text: str, intents: tuple[str, ...], facts: OrderFacts | None, changes: dict[str, Any]
) -> None:
    assert planned(text, *intents, facts=facts, **{"policy": STEPPING} | changes).actions == ()


def test_never_the_money_and_the_item_as_well() -> None:
    attached: dict[str, Any] = {"facts": order(), "attachments": ("photo.jpg",), "policy": STEPPING}
    text = "It arrived broken: my money back or a replacement"
    section = planned(text, "damaged_item", **attached)
    assert [type(action) for action in section.actions] == [IssueRefund]


FORM = "return-form.pdf"


@pytest.mark.parametrize(
    ("text", "quote", "attached"),
    [
        (f"Please fill in {FORM}.", f"Fill in “{FORM}” and put it into the parcel.", (FORM,)),
        (f"Please fill in {FORM}.", "Fill in the form.", ()),
        ("Please fill in the form.", f"Fill in {FORM}.", ()),
        (f"See https://shop.example/{FORM}", f"See https://shop.example/{FORM}", ()),
        ("Please fill in other.pdf.", "Fill in other.pdf.", ()),
    ],
    ids=["named by both", "named by nobody's article", "not said", "a link", "no file of ours"],
)
def test_a_reply_carries_the_files_that_its_article_names(text: str, quote: str, attached: tuple[str, ...]) -> None:
    cited = Citation(passage_id=PassageId(new_id()), article_id="returns", title="Returns", quote=quote)
    made = DraftSection(
        rung=Rung.EXTRACTIVE, sentences=(Sentence(text=text, citations=(cited,)),) * 2, text=text, model="x",
        prompt_version="x",
    )  # fmt: skip
    reply = reply_action(ANNA, "Hi", made, planned=PlanSection(), attachable=frozenset({FORM}))
    assert reply.attachments == attached
    assert reply_action(ANNA, "Hi", made, planned=PlanSection()).attachments == ()


def draft(*facts: str) -> DraftSection:
    sentences = (Sentence(text="…", facts=facts),)
    return DraftSection(rung=Rung.EXTRACTIVE, sentences=sentences, text="…", model="x", prompt_version="x")


def test_a_reply_waits_for_the_refund_that_it_states() -> None:
    section = planned("refund please", "refund_request", facts=RETURNED)
    stating = reply_action(ANNA, "Refund", draft("action.refund"), planned=section)
    silent = reply_action(ANNA, "re: Refund", draft("order.status"), planned=section)
    assert (stating.to, stating.subject, stating.after) == ("anna@example.com", "Re: Refund", "refund")
    assert (silent.subject, silent.after) == ("re: Refund", None)
    assert reply_action(ANNA, " ", draft(), planned=section).subject == "Re: Your message"


@hypothesis_given(
    total=st.integers(min_value=0, max_value=30_000),
    refunded=st.integers(min_value=0, max_value=30_000),
    status=st.sampled_from(OrderStatus),
    intent=st.sampled_from(["refund_request", "refund_status", "return_request", "cancel_order", "damaged_item"]),
    text=st.text(max_size=60),
    days=st.integers(min_value=0, max_value=90),
)
def test_no_text_moves_an_amount(  # noqa: PLR0913 - one argument a dimension
    *, total: int, refunded: int, status: OrderStatus, intent: str, text: str, days: int
) -> None:
    facts = order(
        status=status,
        total=Money(minor=total, currency="EUR"),
        refunded=Money(minor=refunded, currency="EUR"),
        delivered_on=TODAY - timedelta(days=days),
    )
    for amount in refunds(planned(text, intent, facts=facts)):
        assert 0 < amount == total - refunded

"""What to propose and what may be stated, from intent, order facts and policy by rules alone; no text sets a value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from support_agents.composing.needs import asked_intents
from support_agents.composing.reference import TAKEN_FOR_MONEY, is_about_money, orders_named
from support_agents.domain.action import ActionKind, ClauseRef, IssueRefund, OrderStep, ProposedAction, SendReply
from support_agents.domain.intent import UNKNOWN
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import ComputedFact, DraftSection, IntentSection, OrderAnswer, PlanSection
from support_agents.domain.ticket import Requester
from support_agents.policy.arrival import arrival_facts
from support_agents.policy.clauses import Clause
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.refunds import obstacles, refundable
from support_agents.policy.steps import allowed_steps
from support_agents.wording.cues import Cue, find_cue, is_before_buying
from support_agents.wording.meaning import is_witnessed, meant
from support_agents.wording.places import places_in
from support_agents.wording.requests import tells_us_to
from support_agents.wording.triage import triage
from support_agents.wording.vague import question_needed

# Without the order there is no answer: one question back.
_ORDER_IS_THE_ANSWER = frozenset({"order_status", "delivery_problem", "refund_status"})
# The order decides the answer, unless the customer asks how it works in general.
_ORDER_DECIDES = frozenset(
    {"refund_request", "damaged_item", "wrong_item", "missing_item", "cancel_order", "change_order", "change_address"}
)
_ORDER_HELPS = frozenset(
    {"return_request", "exchange_request", "double_charge", "invoice_request", "warranty", "complaint"}
)
# Intents that can lead to a refund, each with the states of an order in which asking for it means money now.
_REFUND_STATES: Mapping[str, frozenset[OrderStatus]] = {
    "refund_request": frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED, OrderStatus.CANCELLED}),
    "refund_status": frozenset({OrderStatus.RETURNED, OrderStatus.CANCELLED}),
    "return_request": frozenset({OrderStatus.RETURNED}),
    "cancel_order": frozenset({OrderStatus.CANCELLED}),
    "damaged_item": frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED}),
    "wrong_item": frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED}),
}
# The customer may want the item rather than the money: only when they say so.
_ONLY_IF_MONEY_IS_ASKED = frozenset({"damaged_item", "wrong_item"})
# The deadlines an answer to an intent may need: what each is called in a fact, and whose clauses set it.
_RETURN_WINDOW = ("return", "return_request")
_DEADLINES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "cancel_order": (_RETURN_WINDOW,),
    "refund_request": (_RETURN_WINDOW,),
    "return_request": (_RETURN_WINDOW,),
    "exchange_request": (("exchange", "exchange_request"), _RETURN_WINDOW),
    "damaged_item": (("report", "damaged_item"),),
    "wrong_item": (("report", "wrong_item"),),
    "missing_item": (("report", "missing_item"),),
}
# What may still be done to an order, by the statuses of the intent's clauses.
_POSSIBLE: Mapping[str, str] = {
    "cancel_order": "cancel_possible",
    "change_order": "change_possible",
    "change_address": "address_possible",
}
_TO_A_PERSON: Mapping[str, str] = {
    "speak_to_person": "the customer asks to speak to a person",
    "delete_account": "deleting an account cannot be undone",
}
# What a customer asks for where one of these is among the intents; and what else asked for makes it doubtful.
_STEP_INTENTS: Mapping[ActionKind, frozenset[str]] = {
    ActionKind.CANCEL_ORDER: frozenset({"cancel_order"}),
    ActionKind.REPLACE_ORDER: frozenset({"damaged_item", "wrong_item", "missing_item"}),
    ActionKind.DELETE_RECORD: frozenset({"delete_account"}),
}
_RATHER_A_CHANGE = frozenset({"change_order", "change_address"})
_FOR_A_PERSON: Mapping[Cue, str] = {
    Cue.DANGER: "the message speaks of “{word}”",
    Cue.DISPUTE: "a payment is disputed with a bank (“{word}”)",
    Cue.PRESS: "the press may be asking (“{word}”)",
    Cue.OTHERS_DATA: "it is about another person's order or data (“{word}”)",
    Cue.BUSINESS: "it is an offer or a request that customer service cannot settle (“{word}”)",
    Cue.NOT_OURS: "it is about a thing that was bought elsewhere (“{word}”)",
}
_NOT_THEIRS: Mapping[Cue, str] = {
    Cue.NO_MAILBOX: "the customer cannot write from the address of the order",
    Cue.ANOTHERS_PURCHASE: "somebody else's order is asked about",
}
_WHAT_TO_CANCEL = "what_to_cancel"
_INSTRUCTS = "the message tries to instruct the software"
_UNSURE = "part of the message reads like an order to the software, which is unsure in this language"
_TAINTED_MESSAGE = "the message tries to instruct the software, so nothing but a reply to the rest of it is proposed"
_TAINTED_EVIDENCE = "an article that was found tries to instruct the software, so nothing but a reply is proposed"


@dataclass(frozen=True)
class PlanningGiven:
    """All that planning looks at; `text` is the screened message, `attachments` the names of its files.

    `among` are the orders of theirs of which the message may mean any. `told` is subject and newest words with the
    tainted sentences: it may only send the ticket to a person. `injection_unsure`: the head alone found something.
    """

    intent: IntentSection
    text: str
    requester: Requester
    policy: PolicyLedger
    today: date
    order_answer: OrderAnswer = OrderAnswer.NOT_ASKED
    order: OrderFacts | None = None
    attachments: tuple[str, ...] = ()
    injection: bool = False
    injection_unsure: bool = False
    told: str = ""
    tainted_evidence: bool = False
    evidence_found: bool = True
    language: str = "en"
    macro_intents: tuple[str, ...] = ()
    macro_needs_order: bool | None = None
    among: tuple[OrderFacts, ...] = ()

    @cached_property
    def intents(self) -> tuple[str, ...]:
        """What is asked for, as a draft will answer it; the message's own intent where no ask is clear.

        A macro that clearly is about the message tells more than the model of intents.
        """
        if self.macro_intents:
            return self.macro_intents
        asked = asked_intents(self.intent.settled_asks, self.text, self.language)
        clear = tuple(name for name in asked if name != UNKNOWN)
        top = self.intent.top.name
        found = clear or (top if top in _TO_A_PERSON and is_witnessed(top, self.text) else meant(top, self.text),)
        if self.order is not None and is_about_money(self.text, self.order):
            return tuple(dict.fromkeys(("refund_status", *(name for name in found if name not in TAKEN_FOR_MONEY))))
        return found


def wants_order(intents: tuple[str, ...]) -> bool:
    """Whether an order number, or the customer's only order, is worth looking up."""
    return bool({*intents} & (_ORDER_IS_THE_ANSWER | _ORDER_DECIDES | _ORDER_HELPS))


def wants_theirs(intents: tuple[str, ...], text: str) -> bool:
    """Whether the message speaks of an order of theirs without saying which, and the answer depends on it."""
    decided = _ORDER_IS_THE_ANSWER | _ORDER_DECIDES | {"return_request", "exchange_request"}
    return bool({*intents} & decided) and find_cue(Cue.THEIR_ORDER, text) is not None


def plan(given: PlanningGiven) -> PlanSection:
    """Return proposals, facts and reasons; pure, the same input always gives the same plan."""
    needs_order_id = _needs_order_id(given)
    question = _question(given)
    hand_off = _hand_off(given)
    order = given.order if given.order_answer is OrderAnswer.FOUND and given.requester.verified else None
    steps = _steps(given, order, hand_off)
    if order is None:
        return PlanSection(
            order_answer=given.order_answer,
            facts=tuple(orders_named(given.among, given.language)) if needs_order_id and not question else (),
            actions=steps,
            needs_order_id=(needs_order_id or bool(question)) and hand_off is None,
            question=question,
            hand_off=hand_off,
            reasons=(hand_off,) if hand_off else (),
        )
    refund, clauses, reasons = _refund(given, order)
    planted = _TAINTED_MESSAGE if given.injection else _TAINTED_EVIDENCE if given.tainted_evidence else ""
    if planted:
        refund, reasons = None, (*reasons, planted)
    refunds = (refund,) if refund is not None and hand_off is None else ()
    return PlanSection(
        order_answer=given.order_answer,
        order=order,
        facts=tuple(_facts(given, order)),
        needs_order_id=bool(question) and hand_off is None,
        question=question,
        actions=refunds or steps,  # never the money and the item as well
        clauses=tuple(dict.fromkeys(clause.ref for clause in clauses)),
        hand_off=hand_off,
        reasons=((hand_off,) if hand_off else ()) + reasons,
    )


def _question(given: PlanningGiven) -> str:
    """What must be asked before anything; not what is to be cancelled where the order is known, or which it may be."""
    name = question_needed(given.text)
    known = given.order_answer in {OrderAnswer.FOUND, OrderAnswer.SEVERAL}
    return "" if name == _WHAT_TO_CANCEL and known else name


def _needs_order_id(given: PlanningGiven) -> bool:
    if given.order_answer is OrderAnswer.FOUND or is_before_buying(given.text):
        return False
    if given.order_answer is OrderAnswer.SEVERAL and not given.macro_intents:
        return True
    if given.macro_needs_order is not None:
        mistyped = given.order_answer is OrderAnswer.UNKNOWN and given.intent.top.name in _ORDER_IS_THE_ANSWER
        return given.macro_needs_order or mistyped
    intents = {*given.intents}
    shop = find_cue(Cue.SHOP, given.text) is not None or given.order_answer is not OrderAnswer.NOT_ASKED
    if not shop:
        return False  # a technical question is not waiting for an order number
    general = find_cue(Cue.GENERAL, given.text) is not None and given.order_answer is OrderAnswer.NOT_ASKED
    if intents & _ORDER_IS_THE_ANSWER:
        return not general or find_cue(Cue.THEIR_ORDER, given.text) is not None
    return bool(intents & _ORDER_DECIDES) and not general


def _hand_off(given: PlanningGiven) -> str | None:
    """Return why a person must take over, most serious first."""
    top = given.macro_intents[0] if given.macro_intents else given.intent.top.name
    told = {cue: find_cue(cue, given.text) for cue in _FOR_A_PERSON}
    needed, not_theirs = wants_order(given.intents), given.order_answer is OrderAnswer.NOT_THEIRS
    reasons = (
        *((word is not None, _FOR_A_PERSON[cue].format(word=word)) for cue, word in told.items()),
        *((True, found.reason) for found in triage(given.told or given.text)),
        (given.injection and not _asks_something(given), _UNSURE if given.injection_unsure else _INSTRUCTS),
        (not_theirs and given.requester.verified, "the order does not belong to the customer"),
        *((not_theirs and find_cue(cue, given.text) is not None, why) for cue, why in _NOT_THEIRS.items()),
        (given.order_answer is OrderAnswer.FAILED and needed, "the order could not be looked up"),
        (not given.macro_intents and top in _TO_A_PERSON and is_witnessed(top, given.text), _TO_A_PERSON.get(top, "")),
        (top == UNKNOWN and not given.evidence_found, "nothing in the knowledge base is about this"),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _asks_something(given: PlanningGiven) -> bool:
    """Whether a text whose tainted sentences are gone still asks for something that we know."""
    return bool(given.macro_intents) or any(intent != UNKNOWN for intent in given.intents)


def _steps(given: PlanningGiven, order: OrderFacts | None, hand_off: str | None) -> tuple[OrderStep, ...]:
    """Return the steps that the policy offers, the customer plainly asks for and a clause allows.

    A deletion may be proposed beside the hand-off that asking for it is: the person who takes the ticket decides.
    """
    own = hand_off == _TO_A_PERSON["delete_account"]
    asked = frozenset(kind for kind in given.policy.offered if _asks_for(kind, given))
    asked = asked & {ActionKind.DELETE_RECORD} if own else asked
    if given.injection or given.tainted_evidence:
        return ()  # what somebody planted asks for nothing
    if not asked or not given.requester.verified or (hand_off is not None and not own):
        return ()
    intents = (intent for kind in sorted(asked) for intent in given.intents if intent in _STEP_INTENTS[kind])
    clauses = (clause for intent in intents for clause in given.policy.clauses_for(intent, given.today))
    return allowed_steps(clauses, order, given.today, offered=asked, evidence=bool(given.attachments))


def _asks_for(kind: ActionKind, given: PlanningGiven) -> bool:
    """Whether the message asks for this step and nothing in it makes that doubtful; how it works is no request."""
    asked = _STEP_INTENTS[kind] & {*given.intents}
    if not any(is_witnessed(intent, given.text) for intent in asked) or find_cue(Cue.GENERAL, given.text) is not None:
        return False
    match kind:
        case ActionKind.CANCEL_ORDER:
            unwanted = tells_us_to(given.text) or find_cue(Cue.UNWANTED, given.text) is not None
            return unwanted and not _RATHER_A_CHANGE & {*given.intents}
        case ActionKind.REPLACE_ORDER:
            wants_item = find_cue(Cue.REPLACEMENT, given.text) is not None
            return wants_item and find_cue(Cue.MONEY, given.text) is None
        case _:
            return True


def _refund(given: PlanningGiven, order: OrderFacts) -> tuple[IssueRefund | None, tuple[Clause, ...], tuple[str, ...]]:
    """Return the refund that a clause allows today, the clauses looked at, and why it is not more."""
    clauses = tuple(
        (intent, clause)
        for intent in given.intents
        for clause in given.policy.clauses_for(intent, given.today)
        if clause.rule is not None
    )
    reasons: list[str] = []
    for intent, clause in clauses:
        if clause.rule is None or clause.rule.action != ActionKind.ISSUE_REFUND or intent not in _REFUND_STATES:
            continue
        against = (*_premature(intent, given, order), *_obstacles(clause, given, order))
        if not against:
            return _issue(order, (clause.ref,)), tuple(c for _, c in clauses), ()
        reasons.append(f"no refund by {clause.id} v{clause.version}: {', '.join(against)}")
    return None, tuple(c for _, c in clauses), tuple(dict.fromkeys(reasons))


def _premature(intent: str, given: PlanningGiven, order: OrderFacts) -> Iterator[str]:
    if order.status not in _REFUND_STATES[intent]:
        yield f"{intent.replace('_', ' ')} of an order that is {order.status} asks for no money yet"
    if intent in _ONLY_IF_MONEY_IS_ASKED and find_cue(Cue.MONEY, given.text) is None:
        yield "the customer does not ask for money"


def _obstacles(clause: Clause, given: PlanningGiven, order: OrderFacts) -> tuple[str, ...]:
    if clause.rule is None:
        return ()
    return obstacles(clause.rule, order, given.today, evidence=bool(given.attachments))


def _issue(order: OrderFacts, clauses: tuple[ClauseRef, ...]) -> IssueRefund:
    return IssueRefund(
        order_id=order.order_id,
        order_version=order.version,
        payment_ref=order.payment_ref,
        account_last4=order.account_last4,
        amount=refundable(order),
        clauses=clauses,
    )


def _facts(given: PlanningGiven, order: OrderFacts) -> Iterator[ComputedFact]:
    """Yield what code can compute of the order; dates are ISO, amounts as `Money` writes them."""
    rest = refundable(order)
    if rest.minor > 0:
        inputs = {"order.total": str(order.total), "order.refunded": str(order.refunded)}
        yield ComputedFact(name="refundable_amount", value=str(rest), inputs=inputs)
    for name, day in (("shipping", order.shipped_on), ("delivery", order.delivered_on)):
        if day is not None:
            inputs = {"from": day.isoformat(), "today": given.today.isoformat()}
            yield ComputedFact(name=f"days_since_{name}", value=str((given.today - day).days), inputs=inputs)
    yield from arrival_facts(order, given.policy.deliveries, places_in(given.text))
    named: set[str] = set()
    every_window = ("exchange_request", "damaged_item") if given.macro_intents else ()
    for intent in (*given.intents, *every_window):
        for fact in (*_windows(intent, given, order), *_possible(intent, given, order)):
            if fact.name not in named:
                named.add(fact.name)
                yield fact


def _windows(intent: str, given: PlanningGiven, order: OrderFacts) -> Iterator[ComputedFact]:
    for name, source in _DEADLINES.get(intent, ()):
        yield from _window_facts(name, given.policy.clauses_for(source, given.today), order)


def _possible(intent: str, given: PlanningGiven, order: OrderFacts) -> Iterator[ComputedFact]:
    """Yield whether the policy still allows what is asked, by the state of the order."""
    for clause in given.policy.clauses_for(intent, given.today):
        rule = clause.rule
        if intent in _POSSIBLE and rule is not None and rule.action != ActionKind.ISSUE_REFUND and rule.statuses:
            inputs = {"clause": f"{clause.id} v{clause.version}", "order.status": order.status.value}
            yield ComputedFact(
                name=_POSSIBLE[intent], value="yes" if order.status in rule.statuses else "no", inputs=inputs
            )


def _window_facts(name: str, clauses: tuple[Clause, ...], order: OrderFacts) -> Iterator[ComputedFact]:
    for clause in clauses:
        rule = clause.rule
        deadline = rule.deadline(order) if rule is not None else None
        if rule is None or deadline is None:
            continue
        inputs = {
            "clause": f"{clause.id} v{clause.version}",
            "window_days": str(rule.window_days),
            f"order.{rule.counted_from}": str(getattr(order, rule.counted_from)),
        }
        yield ComputedFact(name=f"{name}_deadline", value=deadline.isoformat(), inputs=inputs)
        yield ComputedFact(name=f"{name}_window_days", value=str(rule.window_days), inputs=inputs)


def reply_action(
    requester: Requester,
    subject: str,
    draft: DraftSection,
    *,
    planned: PlanSection,
    attachable: frozenset[str] = frozenset(),
) -> SendReply:
    """Make the reply to the ticket's own requester; it waits for the refund that its text says was made.

    Of the `attachable` files of the knowledge base it carries those that the text names on the word of an article.
    """
    stated = {name for sentence in draft.sentences for name in sentence.facts}
    waits_for = next((action.ref for action in planned.actions if states(stated, action)), None)
    subject = subject.strip() or "Your message"
    return SendReply(
        to=requester.email,
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}",
        text=draft.text,
        clauses=planned.clauses,
        after=waits_for,
        attachments=_named_files(draft, attachable),
    )


def _named_files(draft: DraftSection, attachable: frozenset[str]) -> tuple[str, ...]:
    """Return the files that a sentence and the article that it quotes both name, in order; a link names none."""
    named = [
        word
        for sentence in draft.sentences
        for word in _words(sentence.text)
        if word in attachable and any(word in _words(cited.quote) for cited in sentence.citations)
    ]
    return tuple(dict.fromkeys(named))


def _words(text: str) -> list[str]:
    return [word.strip("“”„\"'()[]*_,;:!?.") for word in text.split()]


def states(facts: set[str], action: ProposedAction) -> bool:
    """Whether one of the stated facts is that `action` was carried out."""
    return any(name == f"action.{action.ref}" or name.startswith(f"action.{action.ref}.") for name in facts)

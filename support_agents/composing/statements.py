"""Which verified facts a reply states for each intent and state of the order; it fills phrases and adds nothing."""

from collections.abc import Iterator, Mapping
from datetime import date

from support_agents.domain.action import IssueRefund
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import DraftingGiven
from support_agents.wording.cues import Cue, find_cue
from support_agents.wording.facts import STATUS, fact_texts
from support_agents.wording.outlines import Situation
from support_agents.wording.phrases import Phrases, Said
from support_agents.wording.places import places_in

_TELL_STATUS = {status: (f"order.{status.value}",) for status in OrderStatus}
_MONEY_BACK: Mapping[OrderStatus, tuple[str, ...]] = {
    OrderStatus.PROCESSING: ("order.processing",),
    OrderStatus.SHIPPED: ("order.shipped",),
    OrderStatus.DELIVERED: ("window.return",),
    OrderStatus.RETURNED: ("order.returned", "refund.earlier"),
    OrderStatus.CANCELLED: ("order.cancelled", "refund.earlier"),
}
_ENDED: Mapping[OrderStatus, tuple[str, ...]] = {
    OrderStatus.RETURNED: ("order.returned", "refund.earlier"),
    OrderStatus.CANCELLED: ("order.cancelled", "refund.earlier"),
}
# What to say by intent and state of the order; an intent or state that is absent needs no fact.
_STATEMENTS: Mapping[str, Mapping[OrderStatus, tuple[str, ...]]] = {
    "order_status": {**_TELL_STATUS, **_ENDED},
    "delivery_problem": {**_TELL_STATUS, **_ENDED},
    "change_order": {**_TELL_STATUS, **_ENDED},
    "change_address": {**_TELL_STATUS, **_ENDED},
    "cancel_order": {
        **_TELL_STATUS,
        **_ENDED,
        OrderStatus.DELIVERED: ("order.delivered", "window.return"),
    },
    "damaged_item": {OrderStatus.DELIVERED: ("window.report",)},
    "wrong_item": {OrderStatus.DELIVERED: ("window.report",)},
    "missing_item": {OrderStatus.DELIVERED: ("window.report",)},
    "refund_status": {
        **_TELL_STATUS,
        **_ENDED,
        OrderStatus.DELIVERED: ("refund.not_returned",),
    },
    "refund_request": _MONEY_BACK,
    "return_request": _MONEY_BACK,
    "exchange_request": {OrderStatus.DELIVERED: ("window.exchange",), OrderStatus.PROCESSING: ("order.processing",)},
    "gift_card": {OrderStatus.PROCESSING: ("order.processing",)},
    "discount_code": {OrderStatus.PROCESSING: ("order.processing",)},
    "complaint": {OrderStatus.SHIPPED: ("order.shipped",), OrderStatus.PROCESSING: ("order.processing",)},
}


# What is said instead of the bare status where code knows whether it may still be done.
_POSSIBLE: Mapping[str, tuple[str, str]] = {
    "cancel_order": ("cancel_possible", "can.cancel"),
    "change_order": ("change_possible", "can.change"),
    "change_address": ("address_possible", "can.address"),
}
_OWN_WINDOW = frozenset({"return_deadline", "exchange_deadline", "report_deadline"})
_ABOUT_RETURNING = frozenset({"return_request", "refund_request"})


def situation(given: DraftingGiven) -> Situation:
    """Sum up what is known of the case."""
    order = given.order
    closed = [deadline < given.today for deadline in _deadlines(given)]
    delivered = order is not None and order.status is OrderStatus.DELIVERED
    return Situation(
        order=order.status.value if order else "none",
        attached=bool(given.attachments),
        closed=delivered and any(closed) if closed else None,
        refunded=bool(order and order.refunded.minor > 0),
        window=any(fact.name in _OWN_WINDOW for fact in given.facts) and delivered,
        refund=any(isinstance(action, IssueRefund) for action in given.actions),
        other_product=wants_other_product(given.text),
    )


def wants_other_product(text: str) -> bool:
    """Whether another thing is wanted in exchange, not the same in another size or colour."""
    return find_cue(Cue.OTHER_PRODUCT, text) is not None and find_cue(Cue.VARIANT, text) is None


def statements(intents: tuple[str, ...], given: DraftingGiven, phrases: Phrases) -> tuple[Said, ...]:
    """Return the fact sentences for these intents, each once, in reading order."""
    if given.order is None:
        return ()
    facts = fact_texts(given, phrases.language)
    keys = dict.fromkeys(key for intent in intents for key in _keys(intent, given))
    if _ABOUT_RETURNING & {*intents}:
        keys.pop("refund.not_returned", None)  # whoever asks how to return has not returned anything
    said = [_short(key, place, facts, phrases) or phrases.say(key, facts) for place, key in enumerate(keys)]
    return tuple(_with_status(key, one) for key, one in zip(keys, said, strict=True) if one is not None)


def _short(key: str, place: int, facts: Mapping[str, str], phrases: Phrases) -> Said | None:
    """The form of a statement for where the order has been named already."""
    return phrases.say(f"{key}_short", facts) if place and key.startswith("window.") else None


def _keys(intent: str, given: DraftingGiven) -> Iterator[str]:
    order = given.order
    if order is None:
        return
    refunds = any(isinstance(action, IssueRefund) for action in given.actions)
    keys = _STATEMENTS.get(intent, {}).get(order.status, ())
    if refunds and order.status is OrderStatus.DELIVERED:
        yield "refund.done"
        return
    possible = _possible(intent, given, order)
    if possible:
        keys = (possible, *(key for key in keys if not key.startswith("order.")))
    for key in keys:
        if key == "window.exchange" and wants_other_product(given.text):
            yield from _window("window.return", given)
        elif key.startswith("window."):
            yield from _window(key, given)
        elif key == "refund.not_returned" and order.refunded.minor > 0:
            yield "refund.earlier_part"
        elif key == "refund.earlier":
            yield from _refund(given, refunds=refunds)
        else:
            yield key


def _possible(intent: str, given: DraftingGiven, order: OrderFacts) -> str:
    """The phrase that says whether it may still be done; empty where code does not know."""
    name, key = _POSSIBLE.get(intent, ("", ""))
    known = next((fact.value for fact in given.facts if fact.name == name), None)
    if known is None or order.status in _ENDED:
        return ""
    if known == "no":
        return f"{key}_{order.status.value}"
    abroad = intent == "change_address" and places_in(given.text)
    return "" if abroad else f"{key}_yes"  # whether a new country is another one is not known here


def _refund(given: DraftingGiven, *, refunds: bool) -> Iterator[str]:
    order = given.order
    if refunds:
        yield "refund.done_short"
    elif order is not None and order.refunded.minor > 0:
        yield "refund.earlier_short" if order.refunded.minor >= order.total.minor else "refund.earlier_part"


def _window(key: str, given: DraftingGiven) -> Iterator[str]:
    name = key.removeprefix("window.")
    deadline = next((f.value for f in given.facts if f.name == f"{name}_deadline"), None)
    if deadline is not None and not (name == "report" and date.fromisoformat(deadline) < given.today):
        yield f"{key}_closed" if date.fromisoformat(deadline) < given.today else f"{key}_open"


def _deadlines(given: DraftingGiven) -> Iterator[date]:
    for fact in given.facts:
        if fact.name in {"return_deadline", "exchange_deadline", "report_deadline"}:
            yield date.fromisoformat(fact.value)


def _with_status(key: str, said: Said) -> Said:
    if key.startswith("can."):
        name = next(name for name, phrase in _POSSIBLE.values() if key.startswith(phrase))
        return Said(said.text, (STATUS, f"fact.{name}", *said.facts))
    return Said(said.text, (STATUS, *said.facts)) if key.startswith("order.") else said

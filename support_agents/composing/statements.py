"""Which verified facts a reply states for each intent and state of the order; it fills phrases and adds nothing."""

from collections.abc import Iterator, Mapping
from datetime import date

from support_agents.domain.action import IssueRefund
from support_agents.domain.orders import OrderStatus
from support_agents.domain.sections import DraftingGiven
from support_agents.wording.facts import STATUS, fact_texts
from support_agents.wording.outlines import Situation
from support_agents.wording.phrases import Phrases, Said

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
    "refund_status": {
        **_TELL_STATUS,
        **_ENDED,
        OrderStatus.DELIVERED: ("refund.not_returned",),
    },
    "refund_request": _MONEY_BACK,
    "return_request": _MONEY_BACK,
    "exchange_request": {OrderStatus.DELIVERED: ("window.exchange",), OrderStatus.PROCESSING: ("order.processing",)},
    "complaint": {OrderStatus.SHIPPED: ("order.shipped",), OrderStatus.PROCESSING: ("order.processing",)},
}


_OWN_WINDOW = frozenset({"return_deadline", "exchange_deadline"})
_ABOUT_RETURNING = frozenset({"return_request", "refund_request"})


def situation(given: DraftingGiven) -> Situation:
    """Sum up what is known of the case."""
    order = given.order
    closed = [deadline < given.today for deadline in _deadlines(given)]
    return Situation(
        order=order.status.value if order else "none",
        attached=bool(given.attachments),
        closed=any(closed) if closed else None,
        refunded=bool(order and order.refunded.minor > 0),
        window=any(fact.name in _OWN_WINDOW for fact in given.facts)
        and order is not None
        and order.status is OrderStatus.DELIVERED,
        refund=any(isinstance(action, IssueRefund) for action in given.actions),
    )


def statements(intents: tuple[str, ...], given: DraftingGiven, phrases: Phrases) -> tuple[Said, ...]:
    """Return the fact sentences for these intents, each once, in reading order."""
    if given.order is None:
        return ()
    facts = fact_texts(given, phrases.language)
    keys = dict.fromkeys(key for intent in intents for key in _keys(intent, given))
    if _ABOUT_RETURNING & {*intents}:
        keys.pop("refund.not_returned", None)  # whoever asks how to return has not returned anything
    said = [phrases.say(key, facts) for key in keys]
    return tuple(_with_status(key, one) for key, one in zip(keys, said, strict=True) if one is not None)


def _keys(intent: str, given: DraftingGiven) -> Iterator[str]:
    order = given.order
    if order is None:
        return
    refunds = any(isinstance(action, IssueRefund) for action in given.actions)
    keys = _STATEMENTS.get(intent, {}).get(order.status, ())
    if refunds and order.status is OrderStatus.DELIVERED:
        yield "refund.done"
        return
    for key in keys:
        if key.startswith("window."):
            yield from _window(key, given)
        elif key == "refund.not_returned" and order.refunded.minor > 0:
            yield "refund.earlier_part"
        elif key == "refund.earlier":
            yield from _refund(given, refunds=refunds)
        else:
            yield key


def _refund(given: DraftingGiven, *, refunds: bool) -> Iterator[str]:
    order = given.order
    if refunds:
        yield "refund.done_short"
    elif order is not None and order.refunded.minor > 0:
        yield "refund.earlier_short" if order.refunded.minor >= order.total.minor else "refund.earlier_part"


def _window(key: str, given: DraftingGiven) -> Iterator[str]:
    name = key.removeprefix("window.")
    deadline = next((f.value for f in given.facts if f.name == f"{name}_deadline"), None)
    if deadline is not None:
        yield f"{key}_closed" if date.fromisoformat(deadline) < given.today else f"{key}_open"


def _deadlines(given: DraftingGiven) -> Iterator[date]:
    for fact in given.facts:
        if fact.name in {"return_deadline", "exchange_deadline", "report_deadline"}:
            yield date.fromisoformat(fact.value)


def _with_status(key: str, said: Said) -> Said:
    return Said(said.text, (STATUS, *said.facts)) if key.startswith("order.") else said

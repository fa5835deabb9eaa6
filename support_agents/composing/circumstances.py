"""The case a customer is in, as conditions of macros ask for it; made of verified and computed facts and the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from support_agents.composing.beginnings import beginning, words_of
from support_agents.domain.action import ActionKind, ProposedAction
from support_agents.domain.macro import Arrival, Region, Repaid, When, Window
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import ComputedFact
from support_agents.wording.lengths import centimetres_in
from support_agents.wording.places import places_in
from support_agents.wording.questions import asks_how, wants_a_yes
from support_agents.wording.requests import tells_us_to

_POUNDS = "GBP"


@dataclass(frozen=True)
class Circumstances:
    """All that a condition can look at."""

    text: str
    order: OrderFacts | None
    facts: Mapping[str, str]
    proposed: frozenset[ActionKind]
    attached: bool
    today: date

    @classmethod
    def of(  # noqa: PLR0913 - the parts of a case
        cls,
        text: str,
        *,
        order: OrderFacts | None,
        facts: Sequence[ComputedFact],
        actions: Sequence[ProposedAction],
        attached: bool,
        today: date,
    ) -> "Circumstances":
        """Sum up the case."""
        return cls(
            text=text,
            order=order,
            facts={fact.name: fact.value for fact in facts},
            proposed=frozenset(action.kind for action in actions),
            attached=attached,
            today=today,
        )

    def hold(self, when: When) -> bool:
        """Whether every condition that is given holds; one that cannot be told does not."""
        return not when.model_fields_set or (  # as of most sentences, which belong to every case
            self._order(when)
            and self._windows(when)
            and (not when.arrival or self.arrival in when.arrival)
            and (not when.refunded or self.repaid in when.refunded)
            and when.refund_proposed in {None, ActionKind.ISSUE_REFUND in self.proposed}
            and (when.proposed is None or when.proposed in self.proposed)
            and when.attached in {None, self.attached}
            and (when.region is None or when.region is self.region)
            and (when.sent_within is None or self._sent_within(when.sent_within))
            and when.bulky in {None, self.facts.get("bulky") == "yes"}
            and has_words(self.text, when.words, when.without)
            and self._told(when)
        )

    @property
    def asked_whether(self) -> bool:
        """Whether the customer asks if it is possible."""
        return wants_a_yes(self.text)

    @property
    def region(self) -> Region | None:
        """The shop of the order, or else of the places that the customer names."""
        if self.order is not None:
            return Region.UK if self.order.total.currency == _POUNDS else Region.EU
        places = places_in(self.text)
        if "uk" in places:
            return Region.UK
        return Region.EU if places & _MEMBERS else None

    @property
    def arrival(self) -> Arrival | None:
        """Where a shipped order stands against its delivery times."""
        until, report = self.facts.get("arrival_until"), self.facts.get("late_from")
        if until is None or report is None:
            return None
        if self.today <= date.fromisoformat(until):
            return Arrival.DUE
        return Arrival.LATE if self.today < date.fromisoformat(report) else Arrival.OVERDUE

    @property
    def repaid(self) -> Repaid | None:
        """How much was refunded already."""
        if self.order is None:
            return None
        if self.order.refunded.minor <= 0:
            return Repaid.NONE
        return Repaid.FULL if self.order.refunded.minor >= self.order.total.minor else Repaid.PART

    def _order(self, when: When) -> bool:
        order = self.order
        if when.order is not None:
            if isinstance(when.order, bool):
                if (order is not None) is not when.order:
                    return False
            elif order is None or order.status not in when.order:
                return False
        if when.paid_under is not None and (order is None or order.total.minor >= when.paid_under):
            return False
        if when.carrier and (order is None or order.carrier not in when.carrier):
            return False
        item = order.item if order is not None else ""
        return (not when.item or has_words(item, (when.item,))) and not (
            when.item_without and has_words(item, (when.item_without,))
        )

    def _told(self, when: When) -> bool:
        """What the message says besides words: a country, a length, and who is to act."""
        if when.places and not places_in(self.text) & {*when.places}:
            return False
        if when.centimetres is not None:
            shortest, longest = when.centimetres
            length = centimetres_in(self.text)
            if length is None or not shortest <= length <= longest:
                return False
        if when.asked_whether is not None and when.asked_whether is not self.asked_whether:
            return False
        return when.requested is None or when.requested is (tells_us_to(self.text) and not asks_how(self.text))

    def _sent_within(self, days: int) -> bool:
        sent = self.order.shipped_on if self.order is not None else None
        return sent is not None and (self.today - sent).days <= days

    def _windows(self, when: When) -> bool:
        asked = {"return": when.return_window, "exchange": when.exchange_window, "report": when.report_window}
        return all(self._window(name) is window for name, window in asked.items() if window is not None)

    def _window(self, name: str) -> Window | None:
        deadline = self.facts.get(f"{name}_deadline")
        if deadline is None or self.order is None or self.order.status is not OrderStatus.DELIVERED:
            return None
        return Window.CLOSED if date.fromisoformat(deadline) < self.today else Window.OPEN


_MEMBERS = frozenset(
    "eu nl be de fr at lu dk es it pt ie pl se hu fi cz gr ro bg hr sk si ee lv lt mt cy".split()  # noqa: SIM905 - reads best as prose
)


def has_words(text: str, groups: Sequence[Sequence[str]], without: Sequence[str] = ()) -> bool:
    """Whether the text has, of every group, a word or words that begin so, and none of `without`."""
    if not groups and not without:
        return True
    plain = words_of(text)
    return not _one_of(without, plain) and all(_one_of(group, plain) for group in groups)


def _one_of(words: Sequence[str], plain: str) -> bool:
    for word in words:  # noqa: SIM110 - asked hundreds of times a message, and a generator takes twice as long
        if beginning(word) in plain:
            return True
    return False

"""What the pipeline does with macros: wishes compared, the order meant, a choice made; it drafts nothing."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from support_agents import linear
from support_agents.agents.protocol import Streaming
from support_agents.composing.choosing import Choice, Matched, Wish, another, choose
from support_agents.composing.circumstances import Circumstances
from support_agents.composing.explaining import Told
from support_agents.composing.matching import Floats, Piece
from support_agents.composing.partial import partly
from support_agents.composing.reference import names_item, only_order
from support_agents.composing.reply import MOST_WORDS
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.intent import UNKNOWN, Ask, IntentScore
from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.macro import BoundMacro, OrderUse
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import ComplianceGiven, OrderAnswer, PlanSection, RetrievalSection
from support_agents.intents.asks import read
from support_agents.knowledge.macro_shelf import MacroShelf
from support_agents.planning import PlanningGiven, wants_theirs
from support_agents.ports import Embedder, Vector
from support_agents.screening.terms import terms
from support_agents.wording.cues import Cue, find_cue
from support_agents.wording.facts import facts_of

# A whole message says less of one of its asks than the ask itself does.
_WHOLE, _CONTEXT = 0.97, 0.95
_TERSE, _ENOUGH_TERMS = 0.85, 3
_LONGEST_WHOLE = 90
# Days after delivery when “my order” no longer means this one by itself.
_FORGOTTEN = 60
_NOTHING = IntentScore(name=UNKNOWN, probability=1.0)


@dataclass(frozen=True)
class Wanted:
    """A message as macros are looked for: its screened text with its asks and its vector."""

    text: str
    subject: str
    language: str
    asks: tuple[Ask, ...]
    vector: Vector


@dataclass(frozen=True)
class Macros:
    """The shelf, what compares texts with it, and who writes from what was chosen."""

    shelf: MacroShelf
    embedder: Embedder
    drafting: Streaming

    async def match(self, wanted: Wanted, workspace: WorkspaceId) -> Matched | None:
        """Compare every ask with every macro of the language; None where there are no macros in it."""
        shelf = (await self.shelf.current(workspace)).by_language.get(wanted.language)
        if shelf is None:
            return None
        texts = [list(_pieces(wanted, at)) for at in range(len(wanted.asks))] or [[(_matter(wanted), 1.0)]]
        vectors = await self._vectors(wanted, dict.fromkeys(text for pieces in texts for text, _ in pieces))
        asks = wanted.asks or (Ask(text=wanted.text, start=0, end=len(wanted.text), intent=_NOTHING),)
        wishes = [
            Wish(at, ask.text, ask.intent, tuple(Piece(text, vectors[text], weight) for text, weight in pieces))
            for at, (ask, pieces) in enumerate(zip(asks, texts, strict=True), start=1)
        ]
        spans = tuple(span.text for span in read(wanted.text, wanted.language).spans)
        return shelf.match(wishes, Told(wanted.text, wanted.language, spans), wanted.subject)

    async def _vectors(self, wanted: Wanted, texts: Collection[str]) -> dict[str, Floats]:
        """Embed what the message's own vector does not stand for: a text of the same words has that one.

        The words alone are compared, for joined clauses have lost the commas between them.
        """
        words = linear.words(wanted.text)
        vectors: dict[str, Floats] = {text: wanted.vector for text in texts if linear.words(text) == words}
        others = [text for text in texts if text not in vectors]
        rows = np.asarray(await self.embedder.embed(others), dtype=np.float32)
        return vectors | dict(zip(others, rows, strict=True))


def _pieces(wanted: Wanted, at: int) -> Iterator[tuple[str, float]]:
    """An ask by itself, with what leads up to it, and the whole matter where it is the only one."""
    ask = wanted.asks[at]
    says_enough = len({*terms(ask.text)}) >= _ENOUGH_TERMS
    yield ask.text, 1.0 if says_enough else _TERSE
    since = wanted.asks[at - 1].end if at else 0
    context = _matter_of(wanted.text[since : ask.end], wanted.language)
    if context and context != ask.text and len(context.split()) <= _LONGEST_WHOLE:
        yield context, _CONTEXT if says_enough else 1.0
    if len(wanted.asks) == 1:
        matter = _matter(wanted)
        if matter not in {ask.text, context} and len(matter.split()) <= _LONGEST_WHOLE:
            yield matter, _WHOLE


def _matter(wanted: Wanted) -> str:
    return _matter_of(wanted.text, wanted.language) or wanted.text


def _matter_of(text: str, language: str) -> str:
    """The text without greetings and thanks, on one line."""
    return " ".join(read(text, language).matter.split())


@dataclass(frozen=True)
class Meant:
    """What is known of the order that a message is about; `among` are those it may mean where it may mean several."""

    answer: OrderAnswer = OrderAnswer.NOT_ASKED
    order: OrderFacts | None = None
    among: tuple[OrderFacts, ...] = ()


def order_meant(orders: Sequence[OrderFacts], macros: Sequence[BoundMacro], text: str, today: date) -> Meant:
    """The order of theirs that the message names, or the only open one that the macro plainly means.

    Of several that could be meant none is: which it is takes one question, and a guess takes the customer's trust.
    """
    if find_cue(Cue.OTHERS_DATA, text) is not None:
        return Meant()
    named = [order for order in orders if names_item(text, order)]
    if len(named) == 1:
        return Meant(OrderAnswer.FOUND, named[0])
    possible = named or [order for order in orders if _is_open(order, today)]
    means = {status for one in macros for status in one.macro.means}
    if len(possible) == 1 and possible[0].status in means:
        return Meant(OrderAnswer.FOUND, possible[0])
    needed = any(one.macro.order is OrderUse.NEEDED for one in macros)
    return Meant(OrderAnswer.SEVERAL, None, tuple(possible)) if needed and len(possible) > 1 else Meant()


def order_wanted(orders: tuple[OrderFacts, ...], intents: tuple[str, ...], text: str, today: date) -> Meant:
    """The same where no macro is near: the only order, if it is plainly meant; all that may be, if it must be one."""
    order = only_order(orders, intents, text)
    if order is not None:
        return Meant(OrderAnswer.FOUND, order)
    possible = tuple(order for order in orders if _is_open(order, today))
    asked = wants_theirs(intents, text) and find_cue(Cue.OTHERS_DATA, text) is None
    named = any(names_item(text, order) for order in orders)
    return Meant(OrderAnswer.SEVERAL, None, possible) if asked and not named and len(possible) > 1 else Meant()


def _is_open(order: OrderFacts, today: date) -> bool:
    """Whether something may still be asked about it by somebody who does not say which order he means."""
    if order.delivered_on is not None and order.status is OrderStatus.DELIVERED:
        return (today - order.delivered_on).days <= _FORGOTTEN
    ended = order.status in {OrderStatus.RETURNED, OrderStatus.CANCELLED}
    return not (ended and order.refunded.minor >= order.total.minor)


@dataclass(frozen=True)
class Circumstanced:
    """What of a message decides, besides its order, which case of a macro holds."""

    text: str
    language: str
    attachments: tuple[str, ...]
    customer: str
    today: date

    @classmethod
    def of(cls, given: PlanningGiven) -> "Circumstanced":
        """Cut out of what planning sees."""
        return cls(given.text, given.language, given.attachments, given.requester.name, given.today)


def chosen(
    given: Circumstanced,
    planned: PlanSection,
    matched: Matched | None,
    subject: str,
    *,
    without: frozenset[str] | None = None,
) -> Iterator[Choice]:
    """Yield what the reply is written from, if macros answer the message in this case.

    `without` are ids of macros that a person does not want: then it is the nearest of the others, sure or not.
    """
    if matched is None or planned.hand_off or planned.needs_order_id:
        return
    case = Circumstances.of(
        f"{subject}\n{given.text}",
        order=planned.order,
        facts=planned.facts,
        actions=planned.actions,
        attached=bool(given.attachments),
        today=given.today,
    )
    facts = facts_of(planned.order, planned.facts, planned.actions, language=given.language, today=given.today)
    if without is not None:
        choice = another(matched, case, facts, without=without)
    else:
        known = (given.customer,)
        choice = choose(matched, case, facts, words=MOST_WORDS, known=known) or partly(
            matched, case, facts, words=MOST_WORDS, known=known
        )
    if choice is not None:
        yield choice


def with_macros(retrieved: RetrievalSection, choices: Sequence[Choice]) -> RetrievalSection:
    """Add the passages that the chosen macros rest on, so that the record holds all evidence of the draft."""
    known = {found.passage.id for found in retrieved.passages}
    added = tuple(
        RetrievedPassage(passage=passage, score=0.0, similarity=0.0)
        for choice in choices
        for passage in choice.passages
        if passage.id not in known
    )
    return retrieved.model_copy(update={"passages": (*retrieved.passages, *added)}) if added else retrieved


def given_macros(given: ComplianceGiven, choice: Choice) -> ComplianceGiven:
    """Give the drafter what was chosen, and its evidence even where retrieval was too late to bring any."""
    known = {found.passage.id for found in given.drafting.passages}
    own = tuple(RetrievedPassage(passage=p, score=0.0, similarity=0.0) for p in choice.passages if p.id not in known)
    drafting = given.drafting.model_copy(
        update={
            "macros": choice.macros,
            "opened": choice.opened,
            "passages": (*given.drafting.passages, *own),
        }
    )
    return given.model_copy(update={"drafting": drafting})

"""The demo shop's macros: every case rests on its articles, fills, and passes every check in the case it is for."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from api.demo import shop
from support_agents.agents.compliance import ComplianceAgent
from support_agents.agents.macro_drafting import MacroDraftingAgent
from support_agents.agents.protocol import SentenceVerdict, StreamEnd
from support_agents.composing.binding import bind
from support_agents.composing.choosing import case_of
from support_agents.composing.circumstances import Circumstances
from support_agents.domain.action import IssueRefund
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.intent import Ask, IntentScore
from support_agents.domain.knowledge import Passage, RetrievedPassage
from support_agents.domain.macro import BoundCase, BoundMacro, ChosenMacro, When
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.domain.sections import ComplianceGiven, IntentSection, OrderAnswer, Sentence, Verdict, written
from support_agents.domain.ticket import Requester
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.loaders import load_folder
from support_agents.knowledge.macro_shelf import MacroShelf
from support_agents.knowledge.macros import load_macros
from support_agents.macros import Macros, Wanted
from support_agents.planning import PlanningGiven, plan
from support_agents.policy.loading import load_policy
from support_agents.ports import ChunkedArticle, Vector
from support_agents.testing.knowledge import HashEmbedder, ListStore, MemoryPassageStore
from support_agents.wording.facts import facts_of
from tests.fixtures.drafting import TODAY, a_run, ask, drafting_given, order

LONGEST = 90
PASSAGES = tuple(p for article in load_folder(shop.ARTICLES).articles for p in passages_of(article, DEFAULT_WORKSPACE))
BOUND = bind(load_macros(shop.MACROS), PASSAGES)
POLICY = load_policy(shop.POLICY)
STARTS = (2, 8, 16, 40)
NAMES = {"nl": "Netherlands", "be": "Belgium", "fr": "France", "es": "Spain", "at": "Österreich", "de": "Deutschland"}
NAMES |= {"lu": "Luxembourg", "dk": "Denmark", "it": "Italy", "pt": "Portugal", "ie": "Ireland"}
NAMES |= {"pl": "Poland", "se": "Sweden", "hu": "Hungary"}
# How a customer plainly asks for what may be proposed beside the reply.
REQUESTS = {"en": "please cancel", "de": "bitte stornieren", "es": "por favor cancelad", "fr": "merci d'annuler"}
ITEMS = ("Glow lantern", "Acacia garden bench", "Oak chopping board, engraved", "Beeswax candles, set of 6")


def orders(case: BoundCase) -> Iterator[OrderFacts | None]:
    """Orders in every state, young and old, of both shops, of every kind of item, with every carrier that is named."""
    yield None
    carriers = {name for when in (case.when, *(one.when for one in case.sentences)) for name in when.carrier}
    for status in OrderStatus:
        for days in STARTS:
            for currency in ("EUR", "GBP"):
                for item in ITEMS:
                    for refunded in (0, 2_000, 6_490):
                        one = _order(status, days, currency, item, refunded)
                        yield one
                        yield from (one.model_copy(update={"carrier": carrier}) for carrier in sorted(carriers))


def _order(status: OrderStatus, days: int, currency: str, item: str, refunded: int) -> OrderFacts:
    arrived = status in {OrderStatus.DELIVERED, OrderStatus.RETURNED}
    sent = arrived or status is OrderStatus.SHIPPED
    total = 2_900 if "candles" in item else 6_490
    return order(
        status=status,
        item=item,
        placed_on=TODAY - timedelta(days=days + 3),
        shipped_on=TODAY - timedelta(days=days) if sent else None,
        delivered_on=TODAY - timedelta(days=days) if arrived else None,
        total=Money(minor=total, currency=currency),
        refunded=Money(minor=min(refunded, total), currency=currency),
    )


def cases() -> Iterator[tuple[BoundMacro, BoundCase]]:
    for macro in BOUND.macros:
        for case in macro.cases:
            yield macro, case


def test_no_case_is_refused() -> None:
    assert [str(refused) for refused in BOUND.refused] == []


def test_there_are_macros_for_every_language_we_write() -> None:
    by_language = dict.fromkeys(("en", "de", "es", "fr"), 0)
    for macro, _ in cases():
        by_language[macro.macro.language] += 1
    assert by_language["en"] >= 70
    assert all(by_language[language] >= 12 for language in ("de", "es", "fr"))


@pytest.mark.parametrize(("macro", "case"), [pytest.param(m, c, id=f"{m.macro.id}/{c.name}") for m, c in cases()])
async def test_a_case_passes_every_check_in_a_situation_it_is_for(macro: BoundMacro, case: BoundCase) -> None:
    wanted, said = {sentence.text for sentence in case.sentences}, set[str]()
    for text in _texts(macro, case):
        if said == wanted:
            break
        for found in _situations(macro, case, text):
            verdict, reply = await _judged(found, macro, case)
            assert verdict == (Verdict.PASS, ())
            body = reply.split("\n\n", 1)[1].rsplit("\n\n", 1)[0]
            assert len(body.split()) <= LONGEST
            assert "{" not in reply
            said |= {sentence.text for sentence in found.drafting.macros[0].sentences}
    assert said == wanted, "no order and no message leads to these sentences"


def _situations(macro: BoundMacro, case: BoundCase, text: str) -> Iterator[ComplianceGiven]:
    """For each choice of its sentences, one situation in which exactly this case is used."""
    seen: set[tuple[str, ...]] = set()
    of_order = {_of_order(one.when) for one in case.sentences} - {_of_order(When())}
    for given in _possible(macro, case, text):
        said = tuple(sentence.text for sentence in given.drafting.macros[0].sentences)
        if said not in seen:
            seen.add(said)
            yield given
        if len(seen) > len(of_order):
            return


def _of_order(when: When) -> tuple[object, ...]:
    """What a condition asks of the order alone: the words of a message cannot bring it about."""
    return (when.carrier, when.order, when.bulky, when.region, when.paid_under)


def _possible(macro: BoundMacro, case: BoundCase, text: str) -> Iterator[ComplianceGiven]:
    """Situations of this case; orders that it cannot be for are not tried."""
    for one in orders(case):
        bare = Circumstances.of("", order=one, facts=(), actions=(), attached=False, today=TODAY)
        of_order = When.model_validate(
            {name: getattr(case.when, name) for name in ("order", "item", "item_without", "paid_under", "refunded")}
        )
        if bare.hold(of_order):
            given = _given(macro, case, one, text, attached=case.when.attached is True)
            if given is not None:
                yield given


def _texts(macro: BoundMacro, case: BoundCase) -> Iterator[str]:
    """Messages that the case, and each of its sentences, is for."""
    words = " ".join(group[0] for group in (*macro.macro.words, *case.when.words))
    places = {"uk": "England", "eu": "Ireland"}.get(str(case.when.region), "")
    named = " ".join(NAMES[code] for code in case.when.places[:1])
    length = f"{case.when.centimetres[0]} cm" if case.when.centimetres else ""
    money = "money back" if case.when.refund_proposed else ""
    request = REQUESTS[macro.macro.language] if case.when.proposed else ""
    plain = " ".join(f"{words} {money} {places} {named} {length} {request}".split())
    yield plain
    for sentence in case.sentences:
        if sentence.when.words or sentence.when.places:
            there = " ".join(NAMES[code] for code in sentence.when.places[:1])
            yield f"{plain} {' '.join(group[0] for group in sentence.when.words)} {there}".rstrip()
    yield from macro.macro.questions


def _given(
    macro: BoundMacro, case: BoundCase, one: OrderFacts | None, text: str, *, attached: bool
) -> ComplianceGiven | None:
    language, files = macro.macro.language, ("photo.jpg",) if attached else ()
    asks = (ask(text, macro.macro.intents[0]),)
    planned = plan(
        PlanningGiven(
            intent=IntentSection(intents=(asks[0].intent,), asks=asks, entities=(), model_version="test"),
            text=text,
            requester=Requester(email="anna@example.com", name="Anna Müller", verified=True),
            policy=POLICY,
            today=TODAY,
            order_answer=OrderAnswer.FOUND if one else OrderAnswer.NOT_ASKED,
            order=one,
            attachments=files,
            language=language,
            macro_intents=macro.macro.intents[:1],
            macro_needs_order=False,
        )
    )
    circumstances = Circumstances.of(
        text, order=one, facts=planned.facts, actions=planned.actions, attached=attached, today=TODAY
    )
    facts = facts_of(one, planned.facts, planned.actions, language=language, today=TODAY)
    fitted = case_of(macro, circumstances, facts)
    if fitted is None or fitted.name != case.name:
        return None
    chosen = ChosenMacro(identity=f"{macro.macro.id}/{case.name}", sentences=fitted.sentences)
    drafting = drafting_given(
        text,
        language=language,
        asks=asks,
        order=one,
        facts=planned.facts,
        actions=tuple(action for action in planned.actions if isinstance(action, IssueRefund)),
        attachments=files,
        passages=tuple(_retrieved(passage) for passage in case.passages),
        macros=(chosen,),
    )
    return ComplianceGiven(drafting=drafting, customer_email="anna@example.com", source_language=language)


def _retrieved(passage: Passage) -> RetrievedPassage:
    return RetrievedPassage(passage=passage, score=0.0, similarity=0.0)


async def _judged(
    given: ComplianceGiven, macro: BoundMacro, case: BoundCase
) -> tuple[tuple[Verdict, tuple[str, ...]], str]:
    compliance = ComplianceAgent()
    verdicts: list[SentenceVerdict] = []
    sentences: list[Sentence] = []
    async for item in MacroDraftingAgent().stream(given.drafting, a_run()):
        if isinstance(item, StreamEnd):
            assert item.prompt_version == f"{macro.macro.id}/{case.name}"
            break
        verdicts.append(compliance.check(item, len(verdicts), given))
        sentences.append(item)
    section = compliance.close(tuple(sentences), tuple(verdicts), given)
    failed = tuple(f"{check.name}: {check.reason}" for check in section.checks if check.result.value == "failed")
    return (section.verdict, failed), written(sentences)


class Telling:
    """An embedder that says what it was asked for."""

    def __init__(self) -> None:
        self.inner, self.texts = HashEmbedder(64), list[str]()
        self.version, self.dimensions = self.inner.version, self.inner.dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.texts += texts
        return await self.inner.embed(texts)


@pytest.mark.parametrize(
    ("text", "asked", "embedded"),
    [
        ("My voucher has expired, can you have a look?", "can you have a look?", ["can you have a look?"]),
        ("Where is my parcel?", "Where is my parcel?", []),
    ],
)
async def test_the_message_itself_is_not_embedded_again(text: str, asked: str, embedded: list[str]) -> None:
    store, telling = MemoryPassageStore(), Telling()
    articles = load_folder(shop.ARTICLES).articles
    chunked = [ChunkedArticle(article, passages_of(article, DEFAULT_WORKSPACE)) for article in articles]
    await store.replace_articles(DEFAULT_WORKSPACE, chunked)
    shelf = MacroShelf(load_macros(shop.MACROS), store, ListStore(), HashEmbedder(64))
    vector = (await HashEmbedder(64).embed([text]))[0]
    at = text.index(asked)
    only = Ask(text=asked, start=at, end=len(text), intent=IntentScore(name="unknown", probability=1))
    macros = Macros(shelf=shelf, embedder=telling, drafting=MacroDraftingAgent())
    assert await macros.match(Wanted(text, "", "en", (only,), vector), DEFAULT_WORKSPACE) is not None
    assert telling.texts == embedded

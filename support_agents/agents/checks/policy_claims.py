"""The check that what a draft says of days and money is what the policy ledger says; the ledger outranks articles.

A claim is held against the clauses about the same thing: the same unit counted from the same event, and at least two
words in common with the clause, its name or its intents. Clauses are written in one language; in another one a window
must be one that some clause in force has for that event.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from support_agents.agents.checks.listing import first_listed
from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.source import Line, read
from support_agents.agents.checks.support import Support, content_words, words_only
from support_agents.domain.sections import Sentence, Severity
from support_agents.policy.check_policy import Uncovered
from support_agents.policy.clauses import Clause, CountedFrom
from support_agents.screening.terms import terms
from support_agents.wording.values import Value, ValueKind, values_in

_LEDGER_LANGUAGE = "en"
_LEAST_SHARED = 2
_TO_UNIT, _TO_EVENT = 2, 5
_WORKING = frozenset("working business laborable laborables hábiles ouvré ouvrés ouvrable ouvrables".split())  # noqa: SIM905 - reads best as a line
_UNITS = {
    "hour": "hour hours stunde stunden hora horas heure heures",
    "working day": "workday workdays werktag werktage werktagen arbeitstag arbeitstage arbeitstagen",
    "day": "day days tag tage tagen día días jour jours",
    "week": "week weeks woche wochen semana semanas semaine semaines",
    "month": "month months monat monate monaten mes meses mois",
    "year": "year years jahr jahre jahren año años an ans année années",
}
_EVENTS = {
    "delivery": "delivery delivered deliver receive received receipt receiving arrival arrived lieferung erhalt "
    "zustellung eingang erhalten entrega recepción recibir recibirlo livraison réception recevoir reçu",
    "dispatch": "dispatch dispatched shipping shipped shipment versand versendet envío enviado expédition expédié",
    "order": "order ordering purchase buying kauf bestellung bestelldatum compra pedido achat commande",
}
_WINDOW_EVENTS = {
    CountedFrom.DELIVERED_ON: "delivery",
    CountedFrom.SHIPPED_ON: "dispatch",
    CountedFrom.PLACED_ON: "order",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_EVENT_OF = {word: event for event, words in _EVENTS.items() for word in words.split()}
_MONEY = frozenset({ValueKind.AMOUNT, ValueKind.PERCENT})
_ELIGIBILITY = (
    "free of charge", "entitled", "refunded", "refund", "can return", "can be returned", "cannot be returned",
    "can exchange", "warranty", "guarantee", "kostenlos", "anspruch", "erstattet", "garantie", "gratis",
    "reembolso", "garantía", "gratuit", "gratuitement", "remboursé", "garanti",
)  # fmt: skip


@dataclass(frozen=True)
class Window:
    """So many units, counted from an event; the event is empty where none is named."""

    number: str
    unit: str
    event: str = ""

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == '1' else 's'}"


@dataclass(frozen=True)
class Subject:
    """What a sentence is about: its own words, and those of its articles' titles."""

    said: frozenset[str]
    titles: frozenset[str]

    def is_of(self, clause: Clause, least: int) -> bool:
        """Whether both are about the same: `least` words in common, one of them in a title or one word more."""
        names = " ".join((clause.id, *clause.applies_to)).replace("_", " ").replace("-", " ")
        stems = content_words(f"{clause.text} {names}") - _uninformative()
        shared = len((self.said | self.titles) & stems)
        return shared >= least + (0 if self.titles & stems else 1)


def _against_ledger(sentence: Sentence, support: Support) -> str:
    if not support.ledger.clauses or sentence.courtesy or not sentence.citations:
        return ""  # what rests on verified facts alone was counted by code, from the ledger
    text = words_only(sentence.text)
    windows, amounts = windows_in(text), [value for value in values_in(text) if value.kind in _MONEY]
    if not (windows or amounts or support.policy.uncovered_claims is Uncovered.DROP):
        return ""
    subject = _subject(sentence, support)
    open_claims = [*map(str, windows), *(value.text for value in amounts)]
    for window in windows:
        outcome = _window(window, subject, support)
        if outcome is None:
            open_claims.remove(str(window))
        elif outcome:
            return _outranked(outcome, sentence, support)
    for amount in amounts:
        outcome = _amount(amount, subject, support)
        if outcome is None:
            open_claims.remove(amount.text)
        elif outcome:
            return _outranked(outcome, sentence, support)
    return _uncovered(text, subject, open_claims, support)


def _window(claim: Window, subject: Subject, support: Support) -> str | None:
    """Why `claim` must not stand; None when a clause in force bears it, empty when no clause speaks of it."""
    if not claim.event:
        return ""  # what it is counted from is not said: nearly always another step than the clause's
    about = [(clause, one) for clause in support.ledger.clauses for one in _windows_of(clause) if _like(one, claim)]
    if support.language == _LEDGER_LANGUAGE:
        about = [(clause, one) for clause, one in about if subject.is_of(clause, _LEAST_SHARED)]
    return _judged(str(claim), [(clause, str(one), one.number == claim.number) for clause, one in about], support)


def _amount(claim: Value, subject: Subject, support: Support) -> str | None:
    """As `_window`, for money and percentages; a clause speaks of it if it has more than two words in common."""
    about = [
        (clause, value.text, bool(value.keys & claim.keys))
        for clause in support.ledger.clauses
        if subject.is_of(clause, _LEAST_SHARED + 1)
        for value in values_in(clause.text)
        if value.kind is claim.kind
    ]
    return _judged(claim.text, about, support)


def _judged(claim: str, about: Iterable[tuple[Clause, str, bool]], support: Support) -> str | None:
    today, about = support.drafting.today, tuple(about)
    in_force = [(clause, told, agrees) for clause, told, agrees in about if clause.holds_on(today)]
    if any(agrees for _, _, agrees in in_force):
        return None
    if in_force:
        clause, told, _ = in_force[0]
        return f"the policy says {told}, not {claim} ({clause.id} v{clause.version})"
    past = next((clause for clause, _, agrees in about if agrees), None)
    return f"“{claim}” is from {past.id} v{past.version}, which is not in force today" if past is not None else ""


def _outranked(reason: str, sentence: Sentence, support: Support) -> str:
    """Name the article that says otherwise, so that somebody mends it."""
    titles = [passage.title for passage in support.cited(sentence)] if support.is_verbatim(sentence) else []
    return f"{reason}; the article “{titles[0]}” says otherwise and needs mending" if titles else reason


def _uncovered(text: str, subject: Subject, claims: list[str], support: Support) -> str:
    if support.policy.uncovered_claims is not Uncovered.DROP:
        return ""
    if claims:
        return f"no clause of the policy speaks of “{claims[0]}”"
    said = first_listed(text, _ELIGIBILITY)
    today = support.drafting.today
    borne = any(c.holds_on(today) and subject.is_of(c, _LEAST_SHARED) for c in support.ledger.clauses)
    return f"no clause of the policy speaks of “{said}”" if said and not borne else ""


def _like(one: Window, claim: Window) -> bool:
    """Whether both count the same unit from the same event."""
    return (one.unit, one.event) == (claim.unit, claim.event)


def _subject(sentence: Sentence, support: Support) -> Subject:
    titles = " ".join(passage.title for passage in support.cited(sentence))
    return Subject(_words_of(words_only(sentence.text)), _words_of(titles))


def _words_of(text: str) -> frozenset[str]:
    return frozenset(stem for stem in content_words(text) if not any(sign.isdigit() for sign in stem))


@lru_cache(maxsize=1)
def _uninformative() -> frozenset[str]:
    """Words of counting and of every clause; sharing them says nothing of the subject."""
    words = " ".join((*_UNIT_OF, *_EVENTS["delivery"].split(), "request within customer order"))
    return frozenset(terms(words))


def _windows_of(clause: Clause) -> tuple[Window, ...]:
    found = dict.fromkeys(windows_in(clause.text))
    if clause.rule is not None and clause.rule.window_days is not None:
        event = _WINDOW_EVENTS[clause.rule.counted_from]
        found[Window(str(clause.rule.window_days), "day", event)] = None
    return tuple(found)


@lru_cache(maxsize=512)  # clauses are asked for theirs at every claim
def windows_in(text: str) -> tuple[Window, ...]:
    """Return every span of time that is counted from something, or only stated, in `text`."""
    return tuple(window for line in read(text).lines for window in _windows(line))


def _windows(line: Line) -> Iterator[Window]:
    words = [word.text.casefold() for word in line.words]
    for at, word in enumerate(line.words):
        after = range(at + 1, min(at + 1 + _TO_UNIT, len(words))) if word.number else ()
        unit_at = next((place for place in after if words[place] in _UNIT_OF), None)
        if unit_at is not None:
            following = words[unit_at + 1 : unit_at + 1 + _TO_EVENT]
            event = next((_EVENT_OF[one] for one in following if one in _EVENT_OF), "")
            working = not _WORKING.isdisjoint(words[at : unit_at + 2])
            unit = "working day" if working else _UNIT_OF[words[unit_at]]
            yield Window(word.number, unit, event)


POLICY_LEDGER = SentenceRule("policy_ledger", Severity.DROP, _against_ledger)

"""What a reply has to answer: the asks by intent, follow-ups joined to what they follow; it answers none of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from support_agents.composing.reference import TAKEN_FOR_MONEY, is_about_money
from support_agents.composing.statements import situation
from support_agents.domain.intent import UNKNOWN, Ask
from support_agents.domain.sections import DOUBTFUL, DraftingGiven
from support_agents.screening.terms import terms
from support_agents.wording.meaning import meant
from support_agents.wording.outlines import OutlineLine, outline

_SMALL_TALK = frozenset({"thanks"})
# Words that ask about something without naming it: `does it cost anything?`, `wie lange dauert das?`
_FOLLOW_UP = frozenset(
    terms(
        "cost costs anything pay pays paying postage parcel free "
        "charge much long take takes when possible work works still ok okay do this that "
        "kostet kosten etwas kostenlos lange dauert geht möglich noch cuesta gratis tarda posible algo "
        "coûte gratuit longtemps possible faut temps"
    )
)
_FEWEST_TERMS = 2
_SHORT = 9


@dataclass(frozen=True)
class Need:
    """One ask with the outline lines that fit the case; `texts` are the words to compare sentences with."""

    intent: str
    text: str
    texts: tuple[str, ...]
    lines: tuple[OutlineLine, ...]
    outlined: bool
    place: int

    @property
    def must_be_named(self) -> bool:
        """Whether silence about it would be noticed: a clear intent, or a question with words of its own."""
        return self.intent != UNKNOWN or ("?" in self.text and len(set(terms(self.text))) >= _FEWEST_TERMS)


def needs_of(given: DraftingGiven) -> tuple[Need, ...]:
    """Return the needs, the first clear one first; an unclear sentence counts where nothing clearer stands."""
    merged = _about_money(_merged(given.asks, given.text, given.language), given)
    clear = [place for place, (name, _) in merged.items() if name != UNKNOWN]
    if not clear:
        return tuple(_need(place, merged, given) for place in merged)
    unclear = [place for place in merged if place not in clear]
    made = [_need(place, merged, given) for place in (*clear, *unclear)]
    return tuple(need for need in made if need.must_be_named)


def _about_money(merged: dict[int, tuple[str, str]], given: DraftingGiven) -> dict[int, tuple[str, str]]:
    """Take for a question about the money what is one by the order's state."""
    if given.order is None or not is_about_money(given.text, given.order):
        return merged
    found: dict[int, tuple[str, str]] = {}
    seen = False
    for place, (name, text) in merged.items():
        if name in TAKEN_FOR_MONEY | {"refund_status"}:
            if seen:
                continue
            seen = True
            found[place] = ("refund_status", text)
        else:
            found[place] = (name, text)
    return found


def _follows(ask: Ask, intent: str, language: str) -> bool:
    """Whether the ask only makes sense after one of this intent: no words of its own, or short and outlined there."""
    if set(terms(ask.text)) <= _FOLLOW_UP:
        return True
    short = len(ask.text.split()) <= _SHORT
    return short and any(line.is_asked(ask.text) for line in outline(intent, language))


def asked_intents(asks: Sequence[Ask], text: str, language: str) -> tuple[str, ...]:
    """Return what is asked for, in order, each once; `text` is the whole message."""
    return tuple(dict.fromkeys(name for name, _ in _merged(asks, text, language).values()))


def _merged(asks: Sequence[Ask], text: str, language: str) -> dict[int, tuple[str, str]]:
    """Asks by their place (from 1) as intent and text; the same intent once, a follow-up with what it follows."""
    merged: dict[int, tuple[str, str]] = {}
    for place, ask in enumerate(asks, start=1):
        name = meant(ask.intent.name, text, ask.text if len(asks) > 1 else text)
        if name in _SMALL_TALK:
            continue
        same = next((p for p, (known, _) in merged.items() if known == name), None)
        if same is None and merged and _follows(ask, merged[max(merged)][0], language):
            same = max(merged)
        if merged and same is None and ask.intent.probability < DOUBTFUL:
            name = UNKNOWN
        if same is None:
            merged[place] = (name, ask.text)
        else:
            known, said = merged[same]
            merged[same] = (known, f"{said} {ask.text}")
    return merged


def _need(place: int, merged: dict[int, tuple[str, str]], given: DraftingGiven) -> Need:
    intent, text = merged[place]
    whole = f"{text} {given.subject} {given.text}" if len(merged) == 1 else text
    case = situation(given)
    outlined = [line for line in outline(intent, given.language) if not line.hint]
    lines = [line for line in outlined if line.fits(case) and line.matters(whole)]
    return Need(
        intent=intent,
        text=whole,
        texts=(text, given.text) if len(merged) == 1 else (text,),
        lines=tuple(lines),
        outlined=bool(outlined),
        place=place,
    )

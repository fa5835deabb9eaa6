"""Two questions of which one surely has an answer: that one is answered, the other named as open; never more."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from support_agents.composing.choosing import Answer, Choice, Match, Matched, answer_of, fitting
from support_agents.composing.circumstances import Circumstances
from support_agents.composing.explaining import Told, forms
from support_agents.domain.intent import UNKNOWN
from support_agents.domain.macro import OpenAsk
from support_agents.wording.follow_ups import points_back
from support_agents.wording.meaning import is_witnessed
from support_agents.wording.requests import tells_us_to

# What is answered alone must be far surer than what is answered with everything else accounted for.
_SURE = 0.45
_FEWEST_WORDS = 4
_OWN_WORDS = 0.5
_SURE_TOPIC = 0.9
OTHER = "other"


def partly(
    matched: Matched, case: Circumstances, facts: Mapping[str, str], *, words: int, known: Sequence[str] = ()
) -> Choice | None:
    """Return the macro that surely answers the first of two questions, with the second named as open.

    None where a payment or another step is proposed, which might be about the second; where the answer takes up the
    second as well, so that it is not plainly open; and where there are more than two.
    """
    asking = [ask for ask in matched.told.asks if not points_back(ask)]
    if len(asking) != 2 or case.proposed:  # noqa: PLR2004 - two asks
        return None
    first, second = asking
    answer = _answer(matched, first, case, facts)
    if answer is None or not _is_open(second) or _takes_up(matched, answer, second, facts):
        return None
    rest = Told(
        matched.told.text.replace(second, " ", 1),
        matched.told.language,
        tuple(ask for ask in matched.told.asks if ask != second),
    )
    choice = fitting(replace(matched, told=rest), (answer,), facts, words=words, known=known, whole=matched.told.text)
    return choice and replace(choice, opened=(OpenAsk(text=second, topic=_topic(matched, first, second)),))


def _answer(matched: Matched, ask: str, case: Circumstances, facts: Mapping[str, str]) -> Answer | None:
    """The answer to the wish that holds the ask, if it is surely about it and the first thing asked."""
    match = _holding(matched, ask)
    if match is None or not match.ranked or match.ranked[0][1] < _SURE or not match.agrees:
        return None
    return answer_of(match, case, facts)


def _holding(matched: Matched, ask: str) -> Match | None:
    wanted = _plain(ask)
    return next((match for match in matched.wishes if wanted in _plain(match.wish.text)), None)


def _is_open(ask: str) -> bool:
    """Whether silence about it would be noticed, and it makes sense without the first one."""
    return ("?" in ask or tells_us_to(ask)) and len(ask.split()) >= _FEWEST_WORDS


def _takes_up(matched: Matched, answer: Answer, ask: str, facts: Mapping[str, str]) -> bool:
    """Whether the answer has most words of the second question, or the question has none that tell."""
    told = Told(ask, matched.told.language, (ask,))
    whole = sum(matched.vocabulary.weight(form) for form in forms(ask))
    return matched.vocabulary.explained(told, (answer,), facts.values()).message < _OWN_WORDS * whole or not whole


def _topic(matched: Matched, first: str, second: str) -> str:
    """The intent of the second question where it is surely one of its own."""
    own, main = _holding(matched, second), _holding(matched, first)
    if own is None or own is main:
        return OTHER
    intent = own.wish.intent
    sure = intent.name != UNKNOWN and intent.probability >= _SURE_TOPIC and is_witnessed(intent.name, second)
    return intent.name if sure and main is not None and intent.name != main.wish.intent.name else OTHER


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())

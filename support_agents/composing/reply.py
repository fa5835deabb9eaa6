"""The whole extractive reply: greeting, facts, quoted sentences, one question, closing; or nothing at all."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from support_agents.composing.candidates import Candidate, candidates_of
from support_agents.composing.exclusions import RETURNING, is_excepted
from support_agents.composing.needs import Need, needs_of
from support_agents.composing.selection import (
    Claim,
    Matrix,
    blend,
    choose,
    claims,
    contradicts,
    fairly,
    lexical,
)
from support_agents.composing.statements import statements
from support_agents.domain.orders import OrderStatus
from support_agents.domain.sections import DraftingGiven, OrderAnswer
from support_agents.screening.terms import terms
from support_agents.wording.cues import Cue, find_cue
from support_agents.wording.facts import fact_texts
from support_agents.wording.letters import count_words, signature_of
from support_agents.wording.phrases import Phrases, Said, phrases_of
from support_agents.wording.places import speaks_of_elsewhere
from support_agents.wording.traits import Trait, has

Similarity = Callable[[Sequence[str], Sequence[str]], Awaitable[Matrix]]

# What an answer may take up where its channel is kept to less, and approved macros together in any channel.
MOST_WORDS = 90
_CONTACT_IS_THE_ANSWER = frozenset({"speak_to_person", "complaint", "store_info"})
# Trouble that the message itself tells of, by the words without which the intent is not believed.
_ALWAYS_TROUBLE = frozenset({"damaged_item", "wrong_item", "missing_item"})
# Trouble only where the order may be on its way, or is said to be there.
_TROUBLE_ON_THE_WAY = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED})
_CHOICE = frozenset({"damaged_item"})
_QUESTIONS: Mapping[OrderAnswer, str] = {
    OrderAnswer.NOT_ASKED: "question.order_id",
    OrderAnswer.NOT_THEIRS: "question.order_email",
    OrderAnswer.UNKNOWN: "question.order_check",
    OrderAnswer.FAILED: "question.order_id",
    OrderAnswer.SEVERAL: "question.which_order",
}


async def compose(given: DraftingGiven, similarity: Similarity | None) -> str:
    """Write the reply, with marks, from facts and passages of the customer's language; empty if none is worth it."""
    phrases = phrases_of(given.language)
    needs = needs_of(given)
    if phrases is None or not needs:
        return ""
    if any(need.intent in RETURNING for need in needs) and is_excepted(given):
        return ""
    stated = statements(tuple(need.intent for need in needs), given, phrases)
    wanted, candidates = await _wanted(needs, given, similarity) if _may_quote(given) else ((), ())
    picked = _fitting(wanted, candidates, given, phrases, needs, stated)
    return _written(given, phrases, needs, stated, picked)


def _may_quote(given: DraftingGiven) -> bool:
    """Whether sentences help: not beside a question that must be answered before anything can be said."""
    return not given.needs_order_id


def _fitting(  # noqa: PLR0913, PLR0917 - the parts of one reply
    wanted: Sequence[Claim],
    candidates: Sequence[Candidate],
    given: DraftingGiven,
    phrases: Phrases,
    needs: Sequence[Need],
    stated: tuple[Said, ...],
) -> tuple[Claim, ...]:
    """Choose what fits beside the facts and one sentence for every ask that stays open: the fewer, the more room."""
    ours = (_sympathy(given, phrases, needs), _question(given, phrases, wanted, needs))
    spoken = sum(map(count_words, (*(one.text for one in stated), *ours)))
    each = count_words(_open(phrases, 1, "other"))
    answered = bool(statements((needs[0].intent,), given, phrases))
    best = fairly(wanted)
    picked: tuple[Claim, ...] = ()
    for opened in range(len(needs)):
        room = given.voice.words_for(given.channel) - spoken - opened * each
        longest = max(room, MOST_WORDS - spoken - opened * each)
        choices = [choose(best[:count], candidates, words=longest) for count in range(len(best) + 1)]
        picked = _kept(choices, room, answered=answered)
        if len(needs) - len(_answered(given, phrases, needs, picked)) <= opened:
            break
    return picked


def _kept(choices: Sequence[tuple[Claim, ...]], room: int, *, answered: bool) -> tuple[Claim, ...]:
    """The most of the best claims, from none to all, that a channel has room for: no lesser one for want of words.

    Where no fact answers the first ask, the least that does stands whole, even where it is longer.
    """
    least = next((picked for picked in choices if answered or any(0 in one.answers for one in picked)), ())
    fitting = (picked for picked in choices if sum(one.candidate.words for one in picked) <= room)
    return max((least, *fitting), key=len)


def _answered(given: DraftingGiven, phrases: Phrases, needs: Sequence[Need], picked: Sequence[Claim]) -> frozenset[int]:
    """The needs that a quoted sentence or a stated fact answers."""
    quoted = {number for claim in picked for number in claim.answers}
    return frozenset(
        quoted | {number for number, need in enumerate(needs) if statements((need.intent,), given, phrases)}
    )


async def _wanted(
    needs: Sequence[Need], given: DraftingGiven, similarity: Similarity | None
) -> tuple[tuple[Claim, ...], tuple[Candidate, ...]]:
    """Return what could be quoted, best first, with all it was chosen from."""
    candidates = tuple(_candidates(needs, given))
    if not candidates:
        return (), ()
    by_line = {
        number: await _compare([line.say for line in need.lines], candidates, similarity)
        for number, need in enumerate(needs)
    }
    by_ask = np.stack([(await _compare(need.texts, candidates, similarity)).max(axis=0) for need in needs])
    usable = [_usable(candidate, given) for candidate in candidates]
    found = claims(needs, candidates, by_line, by_ask, usable)
    # Dropped here and not before: where the right answer is “write to us”, the next best sentence is a wrong one.
    return tuple(claim for claim in found if not _sends_to_us(claim.candidate, needs)), candidates


async def _compare(left: Sequence[str], candidates: Sequence[Candidate], similarity: Similarity | None) -> Matrix:
    """Return how alike each text and candidate are; of a candidate's texts the one that fits best counts."""
    owners = [at for at, candidate in enumerate(candidates) for _ in candidate.compared]
    texts = [text for candidate in candidates for text in candidate.compared]
    dense = await similarity(left, texts) if similarity is not None and left else None
    scores = blend(dense, lexical(left, texts))
    best = np.full((len(left), len(candidates)), -1.0, dtype=np.float32)
    for column, owner in enumerate(owners):
        best[:, owner] = np.maximum(best[:, owner], scores[:, column])
    return best


def _candidates(needs: Sequence[Need], given: DraftingGiven) -> Iterator[Candidate]:
    """Yield what the customer's language has; of tables only the rows about something the customer named."""
    words = frozenset(terms(" ".join(need.text for need in needs)))
    for index, found in enumerate(given.passages):
        if found.passage.language == given.language:
            for candidate in candidates_of(found.passage, index):
                yield from _about(words, candidate)


def _about(words: frozenset[str], candidate: Candidate) -> Iterator[Candidate]:
    row = candidate.row
    if row is None:
        yield candidate
        return
    named = frozenset(name for name in row.names if (known := frozenset(terms(name))) and known <= words)
    text = row.written(only=named) if named else ""
    if text:
        yield replace(candidate, text=text, lines=(text,))


def _sends_to_us(candidate: Candidate, needs: Sequence[Need]) -> bool:
    """Whether the sentence sends the customer to us, who has just written to us."""
    fits = any(need.intent in _CONTACT_IS_THE_ANSWER for need in needs)
    here = has(Trait.CONTACT, candidate.text, candidate.language)
    return here and not fits and not has(Trait.BEFORE_CONTACT, candidate.text, candidate.language)


def _usable(candidate: Candidate, given: DraftingGiven) -> bool:
    """Whether the sentence fits this case; one that does not may still stand before one that depends on it."""
    if contradicts(candidate, given.order.status.value if given.order else "none"):
        return False
    around = f"{candidate.title} › {candidate.heading}"
    if speaks_of_elsewhere(candidate.text, around, f"{given.subject} {given.text}"):
        return False
    if given.order is not None and has(Trait.ASKS_NUMBER, candidate.text, candidate.language):
        return False
    return not (given.attachments and has(Trait.EVIDENCE, candidate.text, candidate.language))


def _written(
    given: DraftingGiven, phrases: Phrases, needs: Sequence[Need], stated: tuple[Said, ...], picked: tuple[Claim, ...]
) -> str:
    answered = _answered(given, phrases, needs, picked)
    question = _question(given, phrases, picked, needs)
    if 0 not in answered and not given.needs_order_id:
        return ""
    opened = [
        _open(phrases, need.place, need.intent)
        for number, need in enumerate(needs)
        if number not in answered and not given.needs_order_id
    ]
    blocks = [
        phrases.greeting(given.customer_name),
        " ".join(filter(None, (_sympathy(given, phrases, needs), *(_marked(one) for one in stated)))),
        _quoted(picked),
        " ".join(opened),
        question,
        signature_of(given),
    ]
    return "\n\n".join(filter(None, blocks))


def _sympathy(given: DraftingGiven, phrases: Phrases, needs: Sequence[Need]) -> str:
    """Be sorry where something went wrong, not where somebody only asks how it works."""
    if given.needs_order_id:
        return ""
    on_the_way = given.order is not None and given.order.status in _TROUBLE_ON_THE_WAY
    went_wrong = on_the_way and find_cue(Cue.TROUBLE, given.text) is not None
    asks = find_cue(Cue.GENERAL, given.text) is not None and given.order is None
    fitting = (need.intent for need in needs[:1] if went_wrong or (need.intent in _ALWAYS_TROUBLE and not asks))
    return next(filter(None, (phrases.line(f"sympathy.{intent}") for intent in fitting)), "")


def _marked(said: Said) -> str:
    return said.text + " " + "".join(f"[{name}]" for name in said.facts)


def _quoted(picked: Sequence[Claim]) -> str:
    text, previous = "", None
    for claim in picked:
        candidate = claim.candidate
        mark = f" [{candidate.passage + 1}]"
        glue = "" if previous is None else "\n" if candidate.is_listed or previous.is_listed else " "
        text += glue + "\n".join(line + mark for line in candidate.lines)
        previous = candidate
    return text


def _open(phrases: Phrases, number: int, intent: str) -> str:
    return f"{phrases.opened(intent)} [open.{number}]"


def _question(given: DraftingGiven, phrases: Phrases, picked: Sequence[Claim], needs: Sequence[Need]) -> str:
    if given.needs_order_id and given.question:
        return phrases.line(f"question.{given.question}")
    if given.needs_order_id:
        named = phrases.say("which_of", fact_texts(given, phrases.language))
        return _marked(named) if named else phrases.line(_QUESTIONS.get(given.order_answer, "question.order_id"))
    offers_choice = any(has(Trait.CHOICE, claim.candidate.text, given.language) for claim in picked)
    decided = find_cue(Cue.MONEY, given.text) or find_cue(Cue.REPLACEMENT, given.text)
    if offers_choice and needs[0].intent in _CHOICE and not decided:
        return phrases.line("question.remedy")
    return ""

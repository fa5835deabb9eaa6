"""The whole extractive reply: greeting, facts, quoted sentences, one question, closing; or nothing at all."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from support_agents.composing.candidates import Candidate, candidates_of, count_words
from support_agents.composing.exclusions import RETURNING, is_excepted
from support_agents.composing.needs import Need, needs_of
from support_agents.composing.selection import (
    Claim,
    Matrix,
    blend,
    choose,
    claims,
    contradicts,
    lexical,
)
from support_agents.composing.statements import statements
from support_agents.domain.sections import DraftingGiven, OrderAnswer
from support_agents.screening.terms import terms
from support_agents.wording.cues import Cue, find_cue
from support_agents.wording.phrases import Phrases, Said, phrases_of
from support_agents.wording.places import speaks_of_elsewhere
from support_agents.wording.traits import Trait, has

Similarity = Callable[[Sequence[str], Sequence[str]], Awaitable[Matrix]]

MOST_WORDS = 90
_CONTACT_IS_THE_ANSWER = frozenset({"speak_to_person", "complaint", "store_info"})
_ORDER_IS_THE_ANSWER = frozenset({"order_status", "delivery_problem", "refund_status"})
_ALWAYS_TROUBLE = frozenset(
    {"payment_failed", "damaged_item", "wrong_item", "missing_item", "complaint", "double_charge"}
)
_CHOICE = frozenset({"damaged_item"})
_QUESTIONS: Mapping[OrderAnswer, str] = {
    OrderAnswer.NOT_ASKED: "question.order_id",
    OrderAnswer.NOT_THEIRS: "question.order_email",
    OrderAnswer.UNKNOWN: "question.order_check",
    OrderAnswer.FAILED: "question.order_id",
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
    room = MOST_WORDS - sum(count_words(one.text) for one in stated)
    picked = await _picked(needs, given, similarity, room) if _may_quote(given, needs) else ()
    return _written(given, phrases, needs, stated, picked)


def _may_quote(given: DraftingGiven, needs: Sequence[Need]) -> bool:
    """Whether sentences help: not beside a question that must be answered before anything can be said."""
    if not given.needs_order_id:
        return True
    known_to_be_theirs = given.order_answer is OrderAnswer.NOT_ASKED
    return known_to_be_theirs and not any(need.intent in _ORDER_IS_THE_ANSWER for need in needs)


async def _picked(
    needs: Sequence[Need], given: DraftingGiven, similarity: Similarity | None, room: int
) -> tuple[Claim, ...]:
    candidates = tuple(_candidates(needs, given))
    if not candidates:
        return ()
    by_line = {
        number: await _compare([line.say for line in need.lines], candidates, similarity)
        for number, need in enumerate(needs)
    }
    by_ask = np.stack([(await _compare(need.texts, candidates, similarity)).max(axis=0) for need in needs])
    usable = [_usable(candidate, given) for candidate in candidates]
    found = claims(needs, candidates, by_line, by_ask, usable)
    # Dropped here and not before: where the right answer is “write to us”, the next best sentence is a wrong one.
    wanted = [claim for claim in found if not _sends_to_us(claim.candidate, needs)]
    return choose(wanted, candidates, words=room)


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
    named = frozenset(name for name in row.names if words & frozenset(terms(name)))
    if named:
        text = row.written(only=named)
        yield replace(candidate, text=text, lines=(text,))


def _sends_to_us(candidate: Candidate, needs: Sequence[Need]) -> bool:
    """Whether the sentence sends the customer to us, who has just written to us."""
    fits = any(need.intent in _CONTACT_IS_THE_ANSWER for need in needs)
    return not fits and has(Trait.CONTACT, candidate.text, candidate.language)


def _usable(candidate: Candidate, given: DraftingGiven) -> bool:
    """Whether the sentence fits this case; one that does not may still stand before one that depends on it."""
    if contradicts(candidate, given.order.status.value if given.order else "none"):
        return False
    around = f"{candidate.title} › {candidate.heading}"
    if speaks_of_elsewhere(candidate.text, around, f"{given.subject} {given.text}"):
        return False
    return not (given.attachments and has(Trait.EVIDENCE, candidate.text, candidate.language))


def _written(
    given: DraftingGiven, phrases: Phrases, needs: Sequence[Need], stated: tuple[Said, ...], picked: tuple[Claim, ...]
) -> str:
    answered = {number for claim in picked for number in claim.answers} | {
        number for number, need in enumerate(needs) if statements((need.intent,), given, phrases)
    }
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
        question or phrases.line("offer"),
        phrases.line("signature"),
    ]
    return "\n\n".join(filter(None, blocks))


def _sympathy(given: DraftingGiven, phrases: Phrases, needs: Sequence[Need]) -> str:
    """Be sorry where something went wrong, not where somebody only asks how it works."""
    went_wrong = find_cue(Cue.TROUBLE, given.text) is not None
    fitting = (need.intent for need in needs if went_wrong or need.intent in _ALWAYS_TROUBLE)
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
    topic = phrases.line(f"topic.{intent}") or phrases.line("topic.other")
    return f"{phrases.line('open.ask', topic=topic)} [open.{number}]"


def _question(given: DraftingGiven, phrases: Phrases, picked: Sequence[Claim], needs: Sequence[Need]) -> str:
    if given.needs_order_id:
        return phrases.line(_QUESTIONS.get(given.order_answer, "question.order_id"))
    offers_choice = any(has(Trait.CHOICE, claim.candidate.text, given.language) for claim in picked)
    decided = find_cue(Cue.MONEY, given.text) or find_cue(Cue.REPLACEMENT, given.text)
    if offers_choice and needs[0].intent in _CHOICE and not decided:
        return phrases.line("question.remedy")
    return ""

"""Which sentences of the evidence answer which ask; below the thresholds the answer is none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from support_agents.composing.candidates import Candidate
from support_agents.composing.needs import Need
from support_agents.domain.intent import UNKNOWN
from support_agents.screening.terms import terms
from support_agents.wording.outlines import OutlineLine
from support_agents.wording.traits import Trait, has

Matrix = NDArray[np.float32]

# Measured on the demo shop's development messages: below these a match is as often wrong as right.
LINE_FITS, ASK_FITS, SURE_ASK = 0.66, 0.78, 0.95
# What no intent vouches for must be the more alike; beside a clear ask, much more.
UNCLEAR_FITS, UNCLEAR_BESIDE_FITS = 0.78, 0.82
# From here on a sentence chosen for one ask answers another one as well.
ANSWERS = 0.5
_LEXICAL = 0.25
_SIMILAR, _PRIOR_STEP, _NEAR_BEST = 0.35, 0.15, 0.1
_ASK_WEIGHT = 0.3
MOST_PASSAGES, MOST_DIRECT = 2, 3
_LONGEST_CHAIN = 2
_COVERED = 0.7
_MAIN_ARTICLE = 0.12
_ROW_BONUS, _ITEM_MALUS = 0.25, -0.25


@dataclass(frozen=True)
class Claim:
    """A candidate that says what a need wants said; `rank` is the place of that in the answer."""

    candidate: Candidate
    score: float
    need: int
    rank: int = 0
    answers: frozenset[int] = frozenset()

    @property
    def place(self) -> tuple[int, int]:
        """Where the candidate stands in the evidence."""
        return (self.candidate.passage, self.candidate.position)


def lexical(left: Sequence[str], right: Sequence[str]) -> Matrix:
    """Overlap of content words, 0..1, rows by columns: cosine over sets of terms."""
    sets = [frozenset(terms(text)) for text in right]
    rows = []
    for text in left:
        words = frozenset(terms(text))
        rows.append(
            [len(words & other) / np.sqrt(len(words) * len(other)) if words and other else 0.0 for other in sets]
        )
    return np.array(rows, dtype=np.float32).reshape(len(left), len(right))


def blend(dense: Matrix | None, words: Matrix) -> Matrix:
    """Join similarity of meaning and of words into one figure, about 0..1; words alone count for more."""
    return np.minimum(1.0, words * 1.3) if dense is None else dense + _LEXICAL * words


def claims(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    by_line: Mapping[int, Matrix],
    by_ask: Matrix,
    usable: Sequence[bool],
) -> tuple[Claim, ...]:
    """Return the best usable candidate of every line and of every ask, best score first, each candidate once."""
    best: dict[tuple[int, int], Claim] = {}
    # A row is only a candidate when the customer named what it is about: that outweighs its terse words.
    # An item alone, without its list, has lost what it is an item of.
    weights = [_ROW_BONUS if c.row else _ITEM_MALUS if c.is_item else 0.0 for c in candidates]
    closed = np.where(np.array(usable), weights, -10.0).astype(np.float32)
    for number, need in enumerate(needs):
        lines = by_line[number] + closed
        found = list(_of_lines(number, need, candidates, lines, by_ask[number]))
        found = _without_fallbacks(found, need)
        floor = _floor(need, alone=len(needs) == 1)
        direct = _of_ask(number, candidates, by_ask[number] + closed, floor, last=len(need.lines))
        found += [claim for claim in direct if need.outlined or _covers(claim.candidate, need.text)]
        for claim in found:
            if claim.place not in best or best[claim.place].score < claim.score:
                best[claim.place] = claim
    index = {(c.passage, c.position): at for at, c in enumerate(candidates)}
    whole = (_with_answers(claim, by_ask[:, index[claim.place]]) for claim in best.values())
    return tuple(sorted(whole, key=lambda claim: -claim.score))


def _same_article(lines: Matrix, candidates: Sequence[Candidate]) -> Matrix:
    """Favour the article that says most of what is wanted: a like sentence elsewhere is about something else."""
    said: dict[str, float] = {}
    for line in lines:
        best = int(np.argmax(line))
        if line[best] >= LINE_FITS:
            said[candidates[best].article] = said.get(candidates[best].article, 0.0) + float(line[best])
    main = max(said, key=lambda article: said[article], default="")
    return np.array([_MAIN_ARTICLE if c.article == main else 0.0 for c in candidates], dtype=np.float32)


def _with_answers(claim: Claim, alike: Matrix) -> Claim:
    return replace(claim, answers=frozenset({claim.need, *(int(n) for n in np.flatnonzero(alike >= ANSWERS))}))


def _of_lines(number: int, need: Need, candidates: Sequence[Candidate], lines: Matrix, ask: Matrix) -> Iterator[Claim]:
    main = _same_article(lines, candidates)
    for rank, line in enumerate(need.lines):
        scores = lines[rank] + _ASK_WEIGHT * ask + main
        at = int(np.argmax(np.where(lines[rank] >= LINE_FITS, scores, -1.0)))
        if lines[rank][at] >= LINE_FITS:
            # What the customer asks for in so many words comes before what one always says.
            place = rank - len(need.lines) if line.is_asked(need.text) else rank
            yield Claim(candidates[at], _SIMILAR * float(scores[at]) - _PRIOR_STEP * place, number, place)


def _without_fallbacks(found: list[Claim], need: Need) -> list[Claim]:
    """Leave out the general lines when a line was found that the customer asks for."""
    asked = any(not _line(claim, need).fallback for claim in found)
    return [claim for claim in found if not (asked and _line(claim, need).fallback)]


def _line(claim: Claim, need: Need) -> OutlineLine:
    return need.lines[claim.rank % len(need.lines)]


def _floor(need: Need, *, alone: bool) -> float:
    """How alike a sentence must be to the customer's own words to answer them without an outline."""
    if need.intent == UNKNOWN:
        return UNCLEAR_FITS if alone else UNCLEAR_BESIDE_FITS
    return SURE_ASK if need.outlined else ASK_FITS


def _covers(candidate: Candidate, text: str) -> bool:
    """Whether the sentence has most of the words of the question: near its topic is not the same as about it."""
    words = {term for term in terms(text.partition("?")[0]) if not any(c.isdigit() for c in term)}
    return len(words & set(terms(candidate.text))) >= _COVERED * len(words)


def _of_ask(number: int, candidates: Sequence[Candidate], ask: Matrix, floor: float, *, last: int) -> Iterator[Claim]:
    best = float(ask.max())
    for at in np.argsort(-ask)[:MOST_DIRECT]:
        if ask[at] >= max(floor, best - _NEAR_BEST):
            yield Claim(candidates[int(at)], float(ask[at]), number, last)


def choose(found: Sequence[Claim], candidates: Sequence[Candidate], *, words: int) -> tuple[Claim, ...]:
    """Take claims while passages and words last, each with the sentences it depends on, in the answer's order."""
    at = {(c.passage, c.position): c for c in candidates}
    taken: dict[tuple[int, int], Claim] = {}
    left = words
    for claim in fairly(found):
        chain = [one for one in _with_antecedents(claim, at) if one.place not in taken]
        length = sum(one.candidate.words for one in chain)
        passages = {one.candidate.passage for one in (*taken.values(), *chain)}
        if chain and length <= left and len(passages) <= MOST_PASSAGES:
            taken |= {one.place: one for one in chain}
            left -= length
    return _in_order(tuple(taken.values()))


def fairly(found: Sequence[Claim]) -> list[Claim]:
    """The best claim of every need first, then the rest by score: no ask starves another."""
    best: dict[int, Claim] = {}
    for claim in found:
        best.setdefault(claim.need, claim)
    firsts = list(best.values())
    return [*firsts, *(claim for claim in found if claim not in firsts)]


def _in_order(taken: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """Order passages by the first thing each says, and sentences as in their source."""
    first: dict[int, tuple[int, int]] = {}
    for claim in taken:
        key = (claim.need, claim.rank)
        first[claim.candidate.passage] = min(first.get(claim.candidate.passage, key), key)
    return tuple(
        sorted(taken, key=lambda claim: (first[claim.candidate.passage], claim.candidate.passage, claim.place))
    )


def _with_antecedents(claim: Claim, at: Mapping[tuple[int, int], Candidate]) -> tuple[Claim, ...]:
    """Return the claim behind the sentences its first words point to; empty when one of them cannot be quoted."""
    chain = [claim]
    while chain[0].candidate.needs_previous:
        previous = _before(chain[0].candidate, at)
        if previous is None or previous.row is not None or len(chain) > _LONGEST_CHAIN:
            return ()
        chain.insert(0, Claim(previous, claim.score, claim.need, claim.rank))
    return tuple(chain)


def _before(candidate: Candidate, at: Mapping[tuple[int, int], Candidate]) -> Candidate | None:
    """The sentence before this one: in its passage, or the last one of the passage that it continues."""
    if candidate.position > 0:
        return at.get((candidate.passage, candidate.position - 1))
    same = [c for c in at.values() if (c.article, c.heading) == (candidate.article, candidate.heading)]
    others = [c for c in same if c.passage != candidate.passage]
    if len({c.passage for c in others}) != 1:
        return None
    return max(others, key=lambda c: c.position)


def contradicts(candidate: Candidate, order: str) -> bool:
    """Whether the sentence speaks of an order in another state than this one is in."""
    before = has(Trait.BEFORE_DISPATCH, candidate.text, candidate.language)
    after = has(Trait.AFTER_DISPATCH, candidate.text, candidate.language)
    if order == "processing":
        return after and not before
    return before and not after and order in {"shipped", "delivered", "returned", "cancelled"}

"""Ranks passages by what their articles are about as a whole: title, words, the product named; it searches no index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from support_agents.domain.ids import PassageId
from support_agents.domain.knowledge import Passage, RetrievedPassage
from support_agents.knowledge.corpus import Corpus, Floats
from support_agents.knowledge.scale import SAME, Scale
from support_agents.ports import Vector
from support_agents.screening.terms import terms

# A short question is worded like a title or a FAQ's question; a long message tells a story, which shares words with the
# whole article rather than with its title. `tests/evals/choose_ranking.py` tries other weights.
SHORT_TERMS, LONG_TERMS = 7, 14
LEXICAL_SHORT, LEXICAL_LONG = 0.1, 0.3
# How much of the title, which every passage's vector leans to, is taken out again for a long message.
TITLE_TAKEN = 0.375
# What an article about another product than the one named loses, and one that says of a further product what better
# articles said of others already.
OTHER_NAME, SAME_FAMILY, MOST_SAME = 0.06, 0.05, 3
# A message with so few terms is a follow-up; what was written before counts this much of it.
FOLLOW_UP_TERMS, PREVIOUS_WEIGHT = 3, 0.4
PROMISING_BY_WORDS, PROMISING_BY_TITLE = 24, 12
_COMPARED, _FAMILIES_LOOKED_AT = 160, 80


@dataclass(frozen=True)
class Look:
    """What a query has in common with each article, before any passage is compared."""

    length: float
    words: Floats
    titles: Floats
    named: frozenset[str]


@dataclass(frozen=True)
class Topics:
    """The articles of a workspace at one state of the index; `title_vectors` has a row for each article.

    `scale` brings cosines of these rows to those that the index tells.
    """

    version: str
    corpus: Corpus
    title_vectors: Vector
    # By the numbers of their ids: a message looks up some thousand, and an id's own hash is computed in Python.
    place: Mapping[int, int]
    by_id: Mapping[int, Passage]
    # Of each article's passages, the ids with their numbers.
    ids: Sequence[Sequence[tuple[int, PassageId]]]
    scale: Scale = SAME

    @classmethod
    def of(cls, version: str, corpus: Corpus, title_vectors: Vector, scale: Scale = SAME) -> "Topics":
        """Put them together."""
        by_id = {passage.id.int: passage for held in corpus.passages for passage in held}
        ids = [[(passage.id.int, passage.id) for passage in held] for held in corpus.passages]
        return cls(version, corpus, title_vectors, corpus.place_of(), by_id, ids, scale)

    def look(self, query: str, vector: Vector, found: Sequence[RetrievedPassage], previous: Sequence[str] = ()) -> Look:
        """Look at the words and titles of all articles; what was found first widens the query by its own words.

        A message of few words ("and for the large one?") is also read with the words of the customer's previous ones.
        """
        long = (len(set(terms(query))) - SHORT_TERMS) / (LONG_TERMS - SHORT_TERMS)
        length = min(1.0, max(0.0, long))
        titles = self.scale(np.asarray(self.title_vectors @ vector, dtype=np.float32))
        asked = self.corpus.query(query)
        named = self.corpus.names.named_in(query)
        if previous and len(asked) <= FOLLOW_UP_TERMS:
            before = self.corpus.query(" ".join(previous))
            asked = {term: PREVIOUS_WEIGHT * weight for term, weight in before.items()} | asked
            named = named or self.corpus.names.named_in(" ".join(previous))
        first = Look(length, self.corpus.lexical(asked), titles, named)
        best = self._first_guess(first, found)
        return Look(length, self.corpus.lexical(self.corpus.with_feedback(asked, best)), titles, first.named)

    def promising(self, look: Look, found: Iterable[RetrievedPassage]) -> list[PassageId]:
        """Name the passages that the search did not bring but whose articles have the words or the title."""
        known = {retrieved.passage.id.int for retrieved in found}
        places = {self.place[number] for number in known if number in self.place}
        by_words = _best(look.words, PROMISING_BY_WORDS)
        places.update(by_words[look.words[by_words] > 0].tolist())
        places.update(_best(look.titles, PROMISING_BY_TITLE).tolist())
        said = dict(zip(places, look.words[[*places]].tolist(), strict=True))
        promising: list[PassageId] = []
        for at in sorted(said, key=said.__getitem__, reverse=True):
            promising += [passage_id for number, passage_id in self.ids[at] if number not in known]
            if len(promising) >= _COMPARED:
                break
        return promising[:_COMPARED]

    def ranked(
        self,
        look: Look,
        found: Sequence[RetrievedPassage],
        compared: Mapping[PassageId, float],
        limit: int | None = None,
    ) -> list[RetrievedPassage]:
        """Return them, or the first `limit`, best first; the fused score takes the place of the search's own."""
        cosines = {retrieved.passage.id.int: (retrieved.passage, retrieved.similarity) for retrieved in found}
        for passage_id, cosine in compared.items():
            passage = self.by_id.get(passage_id.int)
            if passage is not None:
                cosines[passage_id.int] = passage, cosine
        numbers = [number for number in cosines if number in self.place]
        places = [self.place[number] for number in numbers]
        scores = self._scores(look, places, [cosines[number][1] for number in numbers])
        lost = self._families_thinned(look, places, scores)
        thinned = [
            (lost.get(at, 0.0) - score, number) for score, at, number in zip(scores, places, numbers, strict=True)
        ]
        thinned.sort()  # numbers are in the order of ids as texts
        return [
            RetrievedPassage(
                passage=cosines[number][0], score=0.0 - less, similarity=max(-1.0, min(1.0, cosines[number][1]))
            )
            for less, number in thinned[:limit]
        ]

    def _scores(self, look: Look, places: Sequence[int], cosines: Sequence[float]) -> list[float]:
        """Return the score of a passage in each of the articles at `places`, all in one pass of arithmetic."""
        taken = look.length * TITLE_TAKEN
        dense = (np.array(cosines) - taken * look.titles[[*places]].astype(np.float64)) / (1 - taken)
        lexical = LEXICAL_SHORT + look.length * (LEXICAL_LONG - LEXICAL_SHORT)
        scores = (1 - lexical) * dense + lexical * look.words[[*places]].astype(np.float64)
        if look.named:
            names = (self.corpus.names.of_title[at] for at in places)
            scores -= [OTHER_NAME if name and name not in look.named else 0.0 for name in names]
        return cast("list[float]", scores.tolist())

    def _first_guess(self, look: Look, found: Sequence[RetrievedPassage]) -> list[int]:
        """Return the places of articles, best first, by what the search brought and by words."""
        placed = [(at, one.similarity) for one in found if (at := self.place.get(one.passage.id.int)) is not None]
        places = [at for at, _ in placed]
        best = _bests(places, self._scores(look, places, [cosine for _, cosine in placed]))
        return sorted(best, key=best.__getitem__, reverse=True)

    def _families_thinned(self, look: Look, places: Sequence[int], scores: Sequence[float]) -> dict[int, float]:
        """What articles lose that repeat for other names what stands higher, so that one family does not fill all."""
        names = self.corpus.names
        best = _bests(places, scores)
        seen: dict[str, set[str]] = {}
        lost: dict[int, float] = {}
        for at in sorted(best, key=best.__getitem__, reverse=True)[:_FAMILIES_LOOKED_AT]:
            if name := names.of_title[at]:
                others = seen.setdefault(names.family[at], set())
                if name not in look.named:
                    lost[at] = SAME_FAMILY * min(len(others - {name}), MOST_SAME)
                others.add(name)
        return lost


def _bests(places: Sequence[int], scores: Sequence[float]) -> dict[int, float]:
    """Return the best score of each place."""
    best: dict[int, float] = {}
    for at, score in zip(places, scores, strict=True):
        best[at] = max(best.get(at, score), score)
    return best


def _best(scores: Floats, number: int) -> NDArray[np.intp]:
    if len(scores) <= number:
        return np.arange(len(scores))
    return np.argpartition(-scores, number)[:number]

"""Ranks passages by what their articles are about as a whole: title, words, the product named; it searches no index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
    place: Mapping[PassageId, int]
    by_id: Mapping[PassageId, Passage]
    scale: Scale = SAME

    @classmethod
    def of(cls, version: str, corpus: Corpus, title_vectors: Vector, scale: Scale = SAME) -> "Topics":
        """Put them together."""
        by_id = {passage.id: passage for held in corpus.passages for passage in held}
        return cls(version, corpus, title_vectors, corpus.place_of(), by_id, scale)

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
        known = {retrieved.passage.id for retrieved in found}
        places = {self.place[passage_id] for passage_id in known if passage_id in self.place}
        places |= {int(at) for at in _best(look.words, PROMISING_BY_WORDS) if look.words[at] > 0}
        places |= {int(at) for at in _best(look.titles, PROMISING_BY_TITLE)}
        held = (passage.id for at in sorted(places, key=lambda at: -look.words[at]) for passage in self._passages(at))
        return [passage_id for passage_id in held if passage_id not in known][:_COMPARED]

    def ranked(
        self,
        look: Look,
        found: Sequence[RetrievedPassage],
        compared: Mapping[PassageId, float],
        limit: int | None = None,
    ) -> list[RetrievedPassage]:
        """Return them, or the first `limit`, best first; the fused score takes the place of the search's own."""
        cosines = {retrieved.passage.id: (retrieved.passage, retrieved.similarity) for retrieved in found}
        for passage_id, cosine in compared.items():
            passage = self.by_id.get(passage_id)
            if passage is None:
                passage = cosines[passage_id][0] if passage_id in cosines else None
            if passage is not None:
                cosines[passage_id] = passage, cosine
        rows = [
            (self._score(look, at, cosine), at, passage, cosine)
            for passage_id, (passage, cosine) in cosines.items()
            if (at := self.place.get(passage_id)) is not None
        ]
        lost = self._families_thinned(look, rows)
        thinned = [(score - lost.get(at, 0.0), passage, cosine) for score, at, passage, cosine in rows]
        # Ids are compared as numbers, which is the order of them as texts.
        thinned.sort(key=lambda row: (-row[0], row[1].id.int))
        return [
            RetrievedPassage(passage=passage, score=score, similarity=max(-1.0, min(1.0, cosine)))
            for score, passage, cosine in thinned[:limit]
        ]

    def _passages(self, at: int) -> tuple[Passage, ...]:
        return self.corpus.passages[at]

    def _score(self, look: Look, at: int, cosine: float) -> float:
        taken = look.length * TITLE_TAKEN
        dense = (cosine - taken * float(look.titles[at])) / (1 - taken)
        lexical = LEXICAL_SHORT + look.length * (LEXICAL_LONG - LEXICAL_SHORT)
        name = self.corpus.names.of_title[at]
        other = OTHER_NAME if look.named and name and name not in look.named else 0.0
        return (1 - lexical) * dense + lexical * float(look.words[at]) - other

    def _first_guess(self, look: Look, found: Sequence[RetrievedPassage]) -> list[int]:
        """Return the places of articles, best first, by what the search brought and by words."""
        scores: dict[int, float] = {}
        for retrieved in found:
            at = self.place.get(retrieved.passage.id)
            if at is not None:
                scores[at] = max(scores.get(at, -1.0), self._score(look, at, retrieved.similarity))
        return sorted(scores, key=lambda at: -scores[at])

    def _families_thinned(self, look: Look, rows: Sequence[tuple[float, int, Passage, float]]) -> dict[int, float]:
        """What articles lose that repeat for other names what stands higher, so that one family does not fill all."""
        names = self.corpus.names
        best: dict[int, float] = {}
        for score, at, _, _ in rows:
            best[at] = max(best.get(at, score), score)
        seen: dict[str, set[str]] = {}
        lost: dict[int, float] = {}
        for at in sorted(best, key=lambda at: -best[at])[:_FAMILIES_LOOKED_AT]:
            if name := names.of_title[at]:
                others = seen.setdefault(names.family[at], set())
                if name not in look.named:
                    lost[at] = SAME_FAMILY * min(len(others - {name}), MOST_SAME)
                others.add(name)
        return lost


def _best(scores: Floats, number: int) -> NDArray[np.intp]:
    if len(scores) <= number:
        return np.arange(len(scores))
    return np.argpartition(-scores, number)[:number]

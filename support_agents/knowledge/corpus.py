"""What all articles together tell about words: their rarity, short forms, names of things; it holds no vectors."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from support_agents.domain.knowledge import Passage
from support_agents.domain.ranking import K1, B
from support_agents.knowledge.names import Names
from support_agents.knowledge.short_forms import ShortForms
from support_agents.knowledge.spelling import nearest_known
from support_agents.screening.terms import passage_terms, terms

Floats = NDArray[np.float32]
# A feedback article's word counts by its share there and its rarity; the strongest word weighs this much of a query's.
FEEDBACK_ARTICLES, FEEDBACK_TERMS, FEEDBACK_WEIGHT = 3, 10, 0.3
CORRECTED_WEIGHT = 0.8

Weights = Mapping[str, float]


@dataclass(frozen=True)
class _Postings:
    """For each term, the articles that have it with their BM25 weight, rarity included."""

    articles: NDArray[np.int32]
    weights: Floats


@dataclass(frozen=True)
class Corpus:
    """Articles as bags of words; scores are arrays with one place an article, in the order of `articles`."""

    articles: tuple[str, ...]
    titles: tuple[str, ...]
    passages: tuple[tuple[Passage, ...], ...]
    names: Names
    short_forms: ShortForms
    _postings: Mapping[str, _Postings]
    _rarity: Mapping[str, float]
    _strengths: tuple[Mapping[str, float], ...]  # of each article's words: their share there, and rarity

    @classmethod
    def of(cls, passages: Iterable[Passage]) -> "Corpus":
        """Count the words of all passages; takes about 0.2 ms a passage."""
        by_article: dict[str, list[Passage]] = defaultdict(list)
        for passage in passages:
            by_article[passage.article_id].append(passage)
        bags = [Counter(_article_terms(held)) for held in by_article.values()]
        found_in = Counter(term for bag in bags for term in bag)
        rarity = {term: math.log(1 + (len(bags) - number + 0.5) / (number + 0.5)) for term, number in found_in.items()}
        titles = tuple(held[0].title for held in by_article.values())
        return cls(
            articles=tuple(by_article),
            titles=titles,
            passages=tuple(map(tuple, by_article.values())),
            names=Names.of(titles),
            short_forms=ShortForms.of(passage.text for held in by_article.values() for passage in held),
            _postings=_posted(bags, rarity),
            _rarity=rarity,
            _strengths=tuple(_strengths(bag, rarity) for bag in bags),
        )

    def place_of(self) -> dict[int, int]:
        """Return the place of each passage's article, by the number of the passage's id."""
        return {passage.id.int: at for at, held in enumerate(self.passages) for passage in held}

    def query(self, text: str) -> dict[str, float]:
        """Return a query's terms with weights: short forms for what they stand for, misspelt words mended."""
        weights = dict.fromkeys(terms(text), 1.0)
        for short in self.short_forms.meant_by(text):
            weights.update(dict.fromkeys(terms(short), 1.0))
        for unknown in [term for term in weights if term not in self._rarity]:
            if meant := nearest_known(unknown, self._rarity):
                weights.setdefault(meant, CORRECTED_WEIGHT)
        return weights

    def lexical(self, query: Weights) -> Floats:
        """Return the BM25 score of each article, relative to the best one: 0..1."""
        posted = [(held, weight) for term, weight in query.items() if (held := self._postings.get(term)) is not None]
        if not posted:
            return np.zeros(len(self.articles), dtype=np.float32)
        # All terms in one pass: a term by itself is a few numbers, and a call of numpy's takes longer than they do.
        weights = np.repeat([weight for _, weight in posted], [len(held.articles) for held, _ in posted])
        weights *= np.concatenate([held.weights for held, _ in posted])
        places = np.concatenate([held.articles for held, _ in posted])
        scores = np.bincount(places, weights, minlength=len(self.articles)).astype(np.float32)
        best = float(scores.max(initial=0.0))
        return scores / best if best else scores

    def with_feedback(self, query: Weights, best: Sequence[int]) -> dict[str, float]:
        """Add the words that set the best articles of a first look apart from all others."""
        found: dict[str, float] = {}
        for at in best[:FEEDBACK_ARTICLES]:
            if not found:
                found = dict(self._strengths[at])
                continue
            for term, strength in self._strengths[at].items():
                found[term] = found.get(term, 0.0) + strength
        strongest = nlargest(FEEDBACK_TERMS, found.items(), key=itemgetter(1))
        widened = dict(query)
        for term, strength in strongest:
            widened[term] = widened.get(term, 0.0) + FEEDBACK_WEIGHT * strength / strongest[0][1]
        return widened


def _article_terms(held: Sequence[Passage]) -> list[str]:
    """A title stands above each passage; here it counts twice for the whole article."""
    title = terms(held[0].title)
    rest = [term for passage in held for term in (*terms(passage.heading), *terms(passage.text))]
    return [*title, *title, *rest] or [*passage_terms(held[0])]


def _posted(bags: Sequence[Mapping[str, int]], rarity: Mapping[str, float]) -> dict[str, _Postings]:
    lengths = [sum(bag.values()) for bag in bags]
    average = sum(lengths) / len(lengths) if lengths else 1.0
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for at, (bag, length) in enumerate(zip(bags, lengths, strict=True)):
        norm = K1 * (1 - B + B * length / average)
        for term, count in bag.items():
            found[term].append((at, count * (K1 + 1) / (count + norm) * rarity[term]))
    return {
        term: _Postings(
            np.fromiter((at for at, _ in rows), dtype=np.int32, count=len(rows)),
            np.fromiter((weight for _, weight in rows), dtype=np.float32, count=len(rows)),
        )
        for term, rows in found.items()
    }


def _strengths(bag: Mapping[str, int], rarity: Mapping[str, float]) -> dict[str, float]:
    total = sum(bag.values()) or 1
    return {term: count / total * rarity[term] for term, count in bag.items()}

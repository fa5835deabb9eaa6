"""Arithmetic of search: BM25 weights and the fusion of two rankings; it knows neither texts nor stores."""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

K1 = 1.2
B = 0.75
# Terms of an average passage, the title counted twice; a constant, so that a passage's weights never change.
AVERAGE_TERMS = 40.0
# On questions about a help centre 0.1 and 0.15 are equal, on half of a FAQ set less is better (nDCG .956 at 0, .952 at
# 0.1, .943 at 0.15); what is left is for error codes, names, and languages that the embedder does not know well.
LEXICAL_SHARE = 0.1


class _Ordered(Protocol):
    """What has an order of its own, which decides between equal scores."""

    def __lt__(self, other: Any, /) -> bool: ...  # noqa: ANN401 - as the standard library's own


Key = TypeVar("Key", bound=_Ordered)


def bm25_weights(terms: Sequence[str]) -> dict[str, float]:
    """Return each distinct term's weight in its passage; inverse document frequency is applied at search time."""
    norm = K1 * (1 - B + B * len(terms) / AVERAGE_TERMS)
    return {term: count * (K1 + 1) / (count + norm) for term, count in Counter(terms).items()}


def by_index(weights: Mapping[str, float]) -> dict[int, float]:
    """Name each term by 32 bits of its checksum; of two terms with the same one the heavier counts."""
    indexed: dict[int, float] = {}
    for term, weight in weights.items():
        index = zlib.crc32(term.encode())
        indexed[index] = max(weight, indexed.get(index, 0.0))
    return indexed


def fused(similarity: Mapping[Key, float], lexical: Mapping[Key, float]) -> list[tuple[Key, float]]:
    """Rank the keys of `similarity` (cosine) by a weighted sum with `lexical` (BM25, relative to its best)."""
    best = max(lexical.values(), default=0.0) or 1.0
    scores = {
        key: (1 - LEXICAL_SHARE) * cosine + LEXICAL_SHARE * lexical.get(key, 0.0) / best
        for key, cosine in similarity.items()
    }
    return sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))


def words_part(score: float, cosine: float) -> float:
    """Return what of a fused score was BM25, relative to its best: the inverse of `fused`."""
    return max(0.0, (score - (1 - LEXICAL_SHARE) * cosine) / LEXICAL_SHARE)

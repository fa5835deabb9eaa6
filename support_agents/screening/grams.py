"""A text as hashed word and letter n-grams; punctuation counts, for it is how one text ends and another begins."""

import unicodedata
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from support_agents import linear

COLUMNS = 32_768
_LONGEST = 1_500
_SIZES = (3, 4, 5)
_INVISIBLE = linear.compile(r"\p{Cf}+")
_DIGITS = str.maketrans("123456789", "0" * 9)


@dataclass(frozen=True)
class Grams:
    """Distinct columns with the square roots of their counts, scaled to length 1."""

    columns: NDArray[np.intp]
    values: NDArray[np.float32]


def grams(text: str) -> Grams:
    """Count words, pairs of neighbours and runs of 3 to 5 characters in lower case; every digit is the same one."""
    plain = f" {linear.spaced(_visible(text[:_LONGEST]).lower().translate(_DIGITS)).strip()} "
    tokens = linear.tokens(plain)
    found = [f"w{token}" for token in tokens]
    found += [f"b{one} {other}" for one, other in pairwise(tokens)]
    found += [plain[at : at + size] for size in _SIZES for at in range(len(plain) - size + 1)]
    counts = Counter(zlib.crc32(gram.encode()) % COLUMNS for gram in found)
    values = np.sqrt(np.array(list(counts.values()), dtype=np.float32))
    length = max(float(np.linalg.norm(values)), 1e-9)
    return Grams(np.array(list(counts), dtype=np.intp), np.asarray(values / length, dtype=np.float32))


def _visible(text: str) -> str:
    """Drop invisible characters and fold wide and styled letters."""
    return text if text.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))

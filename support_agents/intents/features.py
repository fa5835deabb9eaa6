"""Turns a text into hashed n-grams and concepts with numpy alone; it knows no classes and learns nothing."""

import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from support_agents import linear
from support_agents.intents.concepts import Concepts

NGRAM_COLUMNS = 8_192
CONCEPT_COLUMNS = 2_048
LONGEST_TEXT = 1_500  # characters; a message says what it wants well before
_SIZES = (3, 4, 5)
_ROWS = np.array(_SIZES, dtype=np.uint32)[:, None]
_FACTORS = np.array([0x01000193, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1], dtype=np.uint32)
_HALF, _NEARLY_HALF = np.uint32(16), np.uint32(15)
_ODD, _OTHER_ODD = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_SPELLINGS = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "œ": "oe"})


def _plain(character: str) -> str | None:
    digit, letter = character.isdigit(), character.isalpha()
    return None if unicodedata.combining(character) else "0" if digit else character if letter else " "


_PLAIN = linear.Characters(_plain)

Hashes = NDArray[np.uint32]


@dataclass(frozen=True)
class Counts:
    """Distinct columns, ascending, with how often each occurs."""

    columns: NDArray[np.intp]
    counts: NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Counts of a text's n-grams and of its concepts, each in columns of its own; `said` names the concepts."""

    ngrams: Counts
    concepts: Counts
    said: frozenset[str]


def features(text: str, concepts: Concepts) -> Features:
    """Count character 3- to 5-grams, word 1- and 2-grams, concepts and pairs of neighbouring concepts."""
    plain = normalised(text)
    words = plain.split()
    hashed_words = _hashed(words)
    said = list(dict.fromkeys(concepts.of(words)))
    found = _hashed(said)
    return Features(
        ngrams=_counted(np.concatenate(_grams(plain, hashed_words)), NGRAM_COLUMNS),
        concepts=_counted(np.concatenate([found, _pairs(found)]), CONCEPT_COLUMNS),
        said=frozenset(said),
    )


def ngrams(text: str, columns: int) -> Counts:
    """Count character 3- to 5-grams and word 1- and 2-grams alone, in so many columns."""
    plain = normalised(text)
    return _counted(np.concatenate(_grams(plain, _hashed(plain.split()))), columns)


@lru_cache(maxsize=1_024)  # a clause is looked at by many rules
def normalised(text: str) -> str:
    """Return lower-case letters without accents, every digit as `0`, one space between words and at both ends."""
    folded = text[:LONGEST_TEXT].casefold().replace("n't", "nt").translate(_SPELLINGS)
    letters = unicodedata.normalize("NFKD", folded).translate(_PLAIN)
    return f" {' '.join(letters.split())} "


def _grams(plain: str, words: Hashes) -> list[Hashes]:
    return [*_characters(plain), words, _pairs(words)]


def _characters(plain: str) -> list[Hashes]:
    """Hash every window of each size, those of all sizes a place at a time; sums wrap at 32 bits."""
    codes = np.frombuffer(plain.encode("utf-32-le"), dtype=np.uint32)
    hashes = np.empty((len(_SIZES), len(codes)), dtype=np.uint32)
    hashes[:] = _ROWS
    for place in range(min(_SIZES[-1], len(codes))):
        complete = max(0, place + 1 - _SIZES[0])  # rows of windows that end before this place
        rows = hashes[complete:, : len(codes) - place]
        rows *= _FACTORS[place]
        rows += codes[place:]
        _mix(rows)
    return [row[: len(codes) - size + 1] for row, size in zip(hashes, _SIZES, strict=True) if len(codes) >= size]


def _hashed(words: Sequence[str]) -> Hashes:
    return np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint32)


def _pairs(hashes: Hashes) -> Hashes:
    return np.asarray(hashes[:-1] * _FACTORS[1] + hashes[1:] * _FACTORS[2], dtype=np.uint32)


def _counted(hashes: Hashes, columns: int) -> Counts:
    distinct, counts = np.unique(_mixed(hashes) % np.uint32(columns), return_counts=True)
    return Counts(distinct.astype(np.intp), counts.astype(np.float32))


def _mixed(hashes: Hashes) -> Hashes:
    """Spread the bits of each hash, so that its low ones depend on all."""
    mixed = hashes.copy()
    _mix(mixed)
    return mixed


def _mix(hashes: Hashes) -> None:
    """The same in place."""
    hashes ^= hashes >> _HALF
    hashes *= _ODD
    hashes ^= hashes >> _NEARLY_HALF
    hashes *= _OTHER_ODD
    hashes ^= hashes >> _HALF

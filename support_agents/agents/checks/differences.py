"""Where a sentence says something else than its source, beyond the words they share; it decides nothing about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from support_agents import linear
from support_agents.agents.checks.source import Line, Source, Word
from support_agents.domain.errors import SupportError
from support_agents.screening.terms import terms
from support_agents.wording.traits import Trait, words_of

_NEAR_COPY = 0.6
_LEAST_NAME = 2
_NOUNS_ARE_CAPITALS = frozenset({"de"})
_LEAST_REST = 3
# A row as passages hold it: `Country: France; Standard: 3 days`.
_ROW = linear.compile(r"^[^;:.]{1,40}: [^;]{1,200}; [^;:.]{1,40}: ")


class Sign(StrEnum):
    """A way in which a sentence can differ from its source."""

    NUMBER = "number"
    UNIT = "unit"
    NAME = "name"
    OPPOSITE = "opposite"
    NEGATION = "negation"
    NEGATION_LOST = "negation_lost"
    CONDITION_LOST = "condition_lost"
    QUANTIFIER = "quantifier"
    HEDGE_LOST = "hedge_lost"
    ROLE_SWAP = "role_swap"


@dataclass(frozen=True)
class Difference:
    """One sign with a reason that a person understands."""

    sign: Sign
    reason: str


@dataclass(frozen=True)
class _Pair:
    """A sentence beside what its source says of the same."""

    said: Line
    source: Source
    near: tuple[Line, ...]
    words: "Words"
    language: str

    @property
    def window(self) -> frozenset[str]:
        """The stems of the nearest sentences."""
        return frozenset().union(*(line.stems for line in self.near))

    @property
    def copied(self) -> Line | None:
        """The sentence of the source that this one repeats nearly whole, if there is one."""
        best = self.near[0] if self.near else None
        if best is None or _ROW.search(best.text):
            return None  # the cells of a table's row are no sentence to be repeated
        return best if len(best.stems & self.said.stems) >= _NEAR_COPY * len(best.stems) else None


class Words(BaseModel):
    """The word lists of one language; a language without any has only signs that need none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    denials: tuple[str, ...] = ()
    units: frozenset[str] = frozenset()
    hedges: tuple[str, ...] = ()
    universals: tuple[str, ...] = ()
    partials: tuple[str, ...] = ()
    negative_prefixes: tuple[str, ...] = ()
    opposites: dict[str, frozenset[str]] = {}

    @field_validator("units", mode="before")
    @classmethod
    def _stemmed(cls, value: list[str]) -> frozenset[str]:
        return frozenset(stem for word in value for stem in terms(word))

    @field_validator("opposites", mode="before")
    @classmethod
    def _both_ways(cls, value: list[str]) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for row in value:
            sides = [frozenset(terms(side)) for side in row.split("|")]
            for one, other in (sides, reversed(sides)):
                found |= {stem: found.get(stem, frozenset()) | other for stem in one}
        return found


def differences(line: Line, source: Source, language: str, *, quoted: tuple[Line, ...] = ()) -> tuple[Difference, ...]:
    """Return every sign that `line` says something else than `source`, of which `quoted` is what it rests on most."""
    near = tuple(dict.fromkeys((*source.nearest(line), *quoted)))
    pair = _Pair(line, source, near, _words(language), language)
    return tuple(Difference(sign, reason) for sign, look in _SIGNS.items() for reason in look(pair))


def _numbers(pair: _Pair) -> Iterator[str]:
    for word in pair.said.words:
        if word.number and word.number not in pair.source.numbers:
            yield f"“{word.text}” is nowhere in the source"


def _units(pair: _Pair) -> Iterator[str]:
    for word in pair.said.words:
        if word.stem in pair.words.units and word.stem not in pair.source.stems:
            yield f"the source does not count in “{word.text}”"


def _names(pair: _Pair) -> Iterator[str]:
    for place, word in enumerate(pair.said.words):
        written_so = word.is_name and place > 0 and pair.language not in _NOUNS_ARE_CAPITALS
        named = word.is_code or (written_so and word.stem and len(word.text) >= _LEAST_NAME)
        if named and not _known(word, pair.source):
            yield f"“{word.text}” is not named in the source"


def _known(word: Word, source: Source) -> bool:
    plain = word.text.casefold()
    return word.stem in source.stems or plain in source.acronyms or plain in source.folded


def _opposites(pair: _Pair) -> Iterator[str]:
    for word in pair.said.words:
        if not word.stem or word.stem in pair.window:
            continue
        against = pair.words.opposites.get(word.stem, frozenset()) & pair.window
        if against or _negated_form(word.stem, pair):
            yield f"“{word.text}” stands against what the source says"


def _negated_form(stem: str, pair: _Pair) -> bool:
    """Whether the source has the word without its negative prefix, or with one, and not like this."""
    if stem in pair.source.stems:
        return False
    bare = (stem.removeprefix(prefix) for prefix in pair.words.negative_prefixes if stem.startswith(prefix))
    return any(len(rest) >= _LEAST_REST and rest in pair.source.stems for rest in bare)


def _negation(pair: _Pair) -> Iterator[str]:
    said = _denials(pair, pair.said)
    if len(said) > sum(len(_denials(pair, line)) for line in pair.near):
        yield f"“{said[-1]}” is not what the source says"


def _negation_lost(pair: _Pair) -> Iterator[str]:
    lost = _denials(pair, pair.copied) if pair.copied is not None and not _denials(pair, pair.said) else ()
    if lost:
        yield f"the source says “{lost[0]}” here"


def _denials(pair: _Pair, line: Line) -> tuple[str, ...]:
    listed = words_of(Trait.NEGATION, line.text, pair.language)
    return (*listed, *(word.text for word in line.words if word.text.casefold() in pair.words.denials))


def _condition_lost(pair: _Pair) -> Iterator[str]:
    if pair.copied is None or words_of(Trait.STRONG_CONDITION, pair.said.text, pair.language):
        return
    lost = words_of(Trait.STRONG_CONDITION, pair.copied.text, pair.language)
    if lost:
        yield f"the source says it only “{lost[0]} …”"


def _quantifier(pair: _Pair) -> Iterator[str]:
    said = _listed(pair.words.universals, pair.said)
    near = [found for line in pair.near for found in _listed(pair.words.universals, line)]
    partly = _listed(pair.words.partials, pair.near[0]) if pair.near else ()
    if said and partly and not near:
        yield f"it says “{said[0]}” where the source says “{partly[0]}”"


def _hedge_lost(pair: _Pair) -> Iterator[str]:
    lost = _listed(pair.words.hedges, pair.copied) if pair.copied is not None else ()
    if lost and not _listed(pair.words.hedges, pair.said):
        yield f"the source says “{lost[0]}” here"


def _listed(words: tuple[str, ...], line: Line) -> tuple[str, ...]:
    plain = f" {' '.join(word.text.casefold() for word in line.words)} "
    return tuple(word for word in words if f" {word} " in plain)


def _role_swap(pair: _Pair) -> Iterator[str]:
    """Two names that a near copy has the other way round."""
    if pair.copied is None or pair.language in _NOUNS_ARE_CAPITALS:
        return
    said, there = _order(pair.said), _order(pair.copied)
    shared = [name for name in said if name in there]
    for first, second in pairwise(shared):
        if there.index(first) > there.index(second):
            yield f"“{first}” and “{second}” have changed places"


def _order(line: Line) -> list[str]:
    return list(dict.fromkeys(word.text for word in line.words if word.is_name and word.stem))


_SIGNS: dict[Sign, Callable[[_Pair], Iterator[str]]] = {
    Sign.NUMBER: _numbers,
    Sign.UNIT: _units,
    Sign.NAME: _names,
    Sign.OPPOSITE: _opposites,
    Sign.NEGATION: _negation,
    Sign.NEGATION_LOST: _negation_lost,
    Sign.CONDITION_LOST: _condition_lost,
    Sign.QUANTIFIER: _quantifier,
    Sign.HEDGE_LOST: _hedge_lost,
    Sign.ROLE_SWAP: _role_swap,
}


@cache
def _words(language: str) -> Words:
    name = "differences.yaml"
    data = yaml.safe_load(files(__package__ or "").joinpath(name).read_text(encoding="utf-8"))
    try:
        return Words.model_validate(data.get(language, {}))
    except ValidationError as error:
        raise SupportError("words_invalid", f"{name}: {language}: {error.errors()[0]['msg']}") from error

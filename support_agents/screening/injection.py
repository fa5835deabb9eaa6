"""Text that tries to instruct the software, found by rules; a finding is a warning about text, never about a person."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import repeat
from pathlib import Path

import yaml

from support_agents import linear
from support_agents.screening.disguise import uncovered

RULES_PATH = Path(__file__).with_name("injection_rules.yaml")
_SENTENCE_ENDS = frozenset(".!?\n。！？")
_LOOKALIKES = str.maketrans("авеіјоорсухԁѕһℓ", "abeijoopcyxdshl")
_QUOTES = str.maketrans("’‘´`“”", "''''\"\"")
_WORD, _LATIN = linear.compile(r"[\p{L}\p{M}\p{Cf}]+"), linear.compile(r"\p{Latin}")
_LONGEST_SPAN = 600
_MEMORY = 64 << 20  # bytes for all rules at once; with less the engine falls back to a slower way, never to a wrong one


@dataclass(frozen=True)
class Finding:
    """A rule's reason and the whole sentence it was found in, as `text[start:end]` of the original."""

    reason: str
    start: int
    end: int


def find(text: str) -> tuple[Finding, ...]:
    """Return one finding for each rule and sentence, in order; look-alike and invisible characters do not hide any."""
    plain, lengths = _normalised(text)
    if not _any_rule().search(plain):
        return ()
    origins = [*_origins(lengths), len(text)]
    found: set[Finding] = set()
    for rule in _rules():
        for pattern in rule.patterns:
            for match in pattern.finditer(plain):
                start, end = _sentence(plain, match.start(), match.end())
                found.add(Finding(rule.reason, origins[start], origins[end]))
    return tuple(sorted(found, key=by_place))


@lru_cache(maxsize=1_024)
def find_all(text: str) -> tuple[Finding, ...]:
    """As `find`, and in what is disguised in the text (base64, letters apart, hidden HTML), where that is marked.

    Verdicts are kept for a while: the stages of a run ask about one message, and many runs about one passage.
    """
    disguised = (
        Finding(finding.reason, view.start, view.end) for view in uncovered(text) for finding in find(view.text)
    )
    return tuple(sorted({*find(text), *disguised}, key=by_place))


def by_place(finding: Finding) -> tuple[int, int, str]:
    """The order in which findings are given out."""
    return finding.start, finding.end, finding.reason


def without(text: str, findings: Sequence[Finding]) -> str:
    """Return `text` with every found sentence taken out."""
    kept, at = "", 0
    for finding in findings:
        if finding.end > at:
            kept = _joined(kept, text[at : max(at, finding.start)])
            at = finding.end
    return _joined(kept, text[at:]).strip()


def _joined(before: str, after: str) -> str:
    return before + (after.lstrip(" ") if before.endswith((" ", "\n")) else after)


@dataclass(frozen=True)
class _Rule:
    reason: str
    patterns: tuple[linear.Pattern, ...]


@cache
def _rules() -> tuple[_Rule, ...]:
    document = yaml.load(RULES_PATH.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    words: dict[str, str] = document["words"]
    return tuple(
        _Rule(rule["reason"], tuple(linear.compile(_filled(pattern, words)) for pattern in rule["patterns"]))
        for rule in document["rules"]
    )


@cache
def _any_rule() -> linear.Pattern:
    """All rules as one pattern: most texts fit none, and one pass tells so."""
    joined = "|".join(f"(?:{pattern.pattern})" for rule in _rules() for pattern in rule.patterns)
    return linear.compile(joined, memory=_MEMORY)


def _filled(pattern: str, words: dict[str, str]) -> str:
    for name, alternatives in words.items():
        pattern = pattern.replace(f"{{{name}}}", alternatives)
    return pattern


def _normalised(text: str) -> tuple[str, list[int]]:
    """Return a plain lower-case form of `text`, and of how many characters of it each of its own became."""
    if text.isascii():
        return text.lower(), [1] * len(text)
    plain = [*map(_plain, text)]
    # A Cyrillic letter among Latin ones is there to hide a word; a Russian word is one.
    if not _LOOKALIKES.keys().isdisjoint(map(ord, "".join(plain))):
        for match in _WORD.finditer(text):
            if _LATIN.search(match.group()):
                start, end = match.span()
                plain[start:end] = [character.translate(_LOOKALIKES) for character in plain[start:end]]
    return "".join(plain), [*map(len, plain)]


def _origins(lengths: Sequence[int]) -> Iterator[int]:
    """For each character of the plain form, the place of the one it came from."""
    for position, length in enumerate(lengths):
        yield from repeat(position, length)


@lru_cache(maxsize=2_048)
def _plain(character: str) -> str:
    """One character in its plain form, nothing if it is invisible."""
    if unicodedata.category(character) == "Cf":
        return ""
    return unicodedata.normalize("NFKC", character).lower().translate(_QUOTES)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a match to the sentence or the bracket around it, at most `_LONGEST_SPAN` to either side."""
    first, last = max(0, start - _LONGEST_SPAN), min(len(text), end + _LONGEST_SPAN)
    opened, closed = text.rfind("[", first, start), text.find("]", end, last)
    if opened >= 0 and closed >= 0 and "]" not in text[opened:start]:
        return opened, closed + 1
    while start > first and text[start - 1] not in _SENTENCE_ENDS:
        start -= 1
    while end < last and text[end - 1] not in _SENTENCE_ENDS:
        end += 1
    while start < end and text[start].isspace():
        start += 1
    return start, end

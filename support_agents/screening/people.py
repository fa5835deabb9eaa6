"""Names and postal addresses as far as rules and cues go; it knows no list of names, so many stay unfound."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from support_agents import linear
from support_agents.screening.identifiers import Span

WORDS_PATH = Path(__file__).with_name("people.yaml")
_WORD = r"\p{Lu}[\p{L}'’-]+"
_PARTICLES = r"(?:(?:van|von|de|der|den|del|da|di|la|le|dos|zu|al|bin|ten)[ ]){0,2}"
_NAMES = rf"({_WORD}(?:[ ]{_PARTICLES}(?:\p{{Lu}}\.?[ ])?{_WORD}){{0,3}})"
_UNIT = r"(?:,?[ \n]{1,3}(?:Apt|Apartment|Suite|Unit|Flat|Floor|Ste)\.?[ ]?#?[0-9A-Za-z]{1,6})?"
_POSTCODE = r"(?:[A-Z]{1,2}-)?[0-9]{4,6}(?:[ -][0-9A-Z]{2,4})?"
_TOWN = rf"(?:,?[ \n]{{1,3}}{_POSTCODE}(?:,?[ ]\p{{Lu}}[\p{{L}}-]+(?:[ ]\p{{Lu}}[\p{{L}}-]+){{0,2}})?)?"
_ARTICLES = r"(?:(?i:de|la|le|les|du|des|del|della|dei|da|do|dos|las|los|el|l'|d')[ ]?){0,3}"
_NUMBERED = linear.compile(r"[0-9]")


def names(text: str) -> Iterator[Span]:
    """Find names behind an honorific, behind `my name is` and its like, and below a closing line."""
    patterns, not_names = _name_patterns()
    for pattern in patterns:
        for match in pattern.finditer(text):
            if match.group(1).split()[0] not in not_names:
                yield match.start(1), match.end(1)


def addresses(text: str) -> Iterator[Span]:
    """Find streets with a house number, with unit, postcode and town where they follow, and post boxes."""
    for pattern in _street_patterns():
        for match in pattern.finditer(text):
            if _NUMBERED.search(match.group()):
                yield match.start(), match.start() + len(match.group().rstrip())


@cache
def _words() -> dict[str, list[str]]:
    words: dict[str, list[str]] = yaml.safe_load(WORDS_PATH.read_text(encoding="utf-8"))
    return words


def _any_of(name: str) -> str:
    longest_first = sorted(_words()[name], key=len, reverse=True)
    return f"(?:{'|'.join(linear.escape(word) for word in longest_first)})"


@cache
def _name_patterns() -> tuple[tuple[linear.Pattern, ...], frozenset[str]]:
    honorific = rf"{_any_of('honorifics')}\.?[ ]"
    return (
        linear.compile(rf"\b{honorific}{_NAMES}"),
        linear.compile(rf"\b(?i:{_any_of('called')})\s+(?:{honorific})?{_NAMES}"),
        linear.compile(rf"(?m)^[ \t>]*(?i:{_any_of('closings')})[ ]?[,.!]?[ \t]*\n\s*{_NAMES}[ \t]*$"),
    ), frozenset(_words()["not_names"])


@cache
def _street_patterns() -> tuple[linear.Pattern, ...]:
    number_first = r"\b[0-9]{1,6}[A-Za-z]?(?:[ ][0-9]{1,5})?[ ](?:\p{Lu}[\p{L}.'’-]*[ ]){1,4}"
    return (
        linear.compile(rf"{number_first}{_any_of('streets_behind')}\b\.?{_UNIT}{_TOWN}"),
        linear.compile(rf"\b\p{{Lu}}[\p{{L}}-]*{_any_of('streets_grown')}[ ][0-9]{{1,5}}[ ]?[a-zA-Z]?\b{_UNIT}{_TOWN}"),
        linear.compile(
            rf"\b(?:[0-9]{{1,5}}(?:[ ]?(?:bis|ter))?,?[ ])?(?i:{_any_of('streets_before')})[ ]{_ARTICLES}"
            rf"\p{{Lu}}[\p{{L}}'’.-]+"
            rf"(?:[ ]\p{{L}}[\p{{L}}'’.-]+){{0,3}}(?:,?[ ][0-9]{{1,5}}[a-zA-Z]?\b)?{_UNIT}{_TOWN}"
        ),
        linear.compile(r"(?i)\bp\.?[ ]?o\.?[ ]?box[ ][0-9]{1,6}\b"),
    )

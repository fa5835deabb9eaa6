"""Text that people do not see as what it is: base64, letters apart, hidden HTML; it runs nothing that it decodes."""

import base64
import binascii
import html
from collections.abc import Iterator
from dataclasses import dataclass

from support_agents import linear

_BASE64 = linear.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_SPACED = linear.compile(r"(?:\b\p{L}[ .\-_*]{1,2}){7,}\p{L}\b")
_WORD_GAP = linear.compile(r"[ ]{2}")
_BETWEEN_LETTERS = linear.compile(r"[ .\-_*]")
_COMMENT = linear.compile(r"(?s)<!--.*?-->")
_HIDING = (
    r"(?:style\s*=\s*[\"'][^\"'<>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0"
    r"|color\s*:\s*(?:#fff(?:fff)?|white|transparent))[^\"'<>]*[\"']|hidden\b|aria-hidden\s*=\s*[\"']true[\"'])"
)
_HIDDEN = linear.compile(rf"(?is)<[a-z][a-z0-9]{{0,15}}\b[^<>]*{_HIDING}[^<>]*>[^<]*(?:</[a-z0-9]{{1,16}}>)?")
_TAG = linear.compile(r"<[^<>]*>")
_MOST = 20
_LETTERS_SHARE = 0.6
_LONGEST = 8_000


@dataclass(frozen=True)
class Uncovered:
    """What `text[start:end]` says when it is read as a machine would read it."""

    text: str
    start: int
    end: int


def uncovered(text: str) -> tuple[Uncovered, ...]:
    """Return what is disguised in `text`, at most twenty of each kind."""
    return (*_limited(_decoded(text)), *_limited(_closed_up(text)), *_limited(_hidden(text)))


def visible(text: str) -> str:
    """Return `text` without comments and elements that a browser would not show; other markup stays."""
    return _HIDDEN.sub(" ", _COMMENT.sub(" ", text)) if "<" in text else text


def _limited(found: Iterator[Uncovered]) -> list[Uncovered]:
    return [one for one, _ in zip(found, range(_MOST), strict=False)]


def _decoded(text: str) -> Iterator[Uncovered]:
    """Yield base64 that decodes to prose."""
    for match in _BASE64.finditer(text):
        run = match.group()[:_LONGEST].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            plain = base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + "=" * (-len(run) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
        letters = sum(character.isalpha() or character.isspace() for character in plain)
        if plain.isprintable() or letters >= _LETTERS_SHARE * len(plain):
            yield Uncovered(plain, match.start(), match.end())


def _closed_up(text: str) -> Iterator[Uncovered]:
    """Yield words whose letters stand apart: `i g n o r e  a l l`."""
    for match in _SPACED.finditer(text):
        words = _WORD_GAP.split(match.group())
        yield Uncovered(" ".join(_BETWEEN_LETTERS.sub("", word) for word in words), match.start(), match.end())


def _hidden(text: str) -> Iterator[Uncovered]:
    for pattern in (_COMMENT, _HIDDEN) if "<" in text else ():
        for match in pattern.finditer(text):
            inner = match.group().removeprefix("<!--").removesuffix("-->")
            yield Uncovered(html.unescape(_TAG.sub(" ", inner)), match.start(), match.end())

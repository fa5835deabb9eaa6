"""Splits a message into what its writer added and the older mail below it; it loses no character."""

from dataclasses import dataclass

_INTRODUCES = (
    " wrote:",
    " schrieb:",
    " a écrit :",
    " a écrit:",
    " escribió:",
    " ha scritto:",
    " schreef:",
    " escreveu:",
)
_SEPARATORS = ("-----original message", "________________", "-----ursprüngliche nachricht", "-----message d'origine")
_LONGEST_INTRODUCTION = 3


@dataclass(frozen=True)
class Folded:
    """`fresh` + `quoted` is the message."""

    fresh: str
    quoted: str


def fold(text: str) -> Folded:
    """Find the first line from which on everything is history; a quoted line amid answers stays in `fresh`."""
    lines = text.splitlines(keepends=True)
    separator = next((i for i, line in enumerate(lines) if line.strip().lower().startswith(_SEPARATORS)), len(lines))
    start = min(separator, _trailing_quotes(lines))
    return Folded("".join(lines[:start]), "".join(lines[start:]))


def _trailing_quotes(lines: list[str]) -> int:
    """Where the block of `>` lines that ends the message begins, with the lines that introduce it."""
    start = len(lines)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index].strip()
        if line.startswith(">"):
            start = index
        elif line:
            return _with_introduction(lines, index) if start < len(lines) and _introduces(line) else start
    return start


def _with_introduction(lines: list[str], last: int) -> int:
    """`On Monday, X wrote:` may be broken over lines; a paragraph's beginning ends the search."""
    first = last
    while first > max(0, last - _LONGEST_INTRODUCTION + 1) and lines[first - 1].strip():
        first -= 1
    return first if first == 0 or not lines[first - 1].strip() else last


def _introduces(line: str) -> bool:
    return f" {line.lower()}".endswith(_INTRODUCES)

"""Markdown as plain blocks below their headings; it keeps words, drops marks, and never interprets HTML."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import re2


class BlockKind(Enum):
    """What a block is, as far as splitting it is concerned."""

    HEADING = auto()
    TEXT = auto()
    ITEMS = auto()
    CODE = auto()


@dataclass(frozen=True)
class Block:
    """A heading of `level`, or plain lines: of a paragraph, of code, one for each list item or table row."""

    kind: BlockKind
    lines: tuple[str, ...]
    level: int = 0


_COMMENT = re2.compile(r"(?s)<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)>")
_HTML_HEADING = re2.compile(r"(?is)<h([1-6])\b[^>]*>(.*?)</h[1-6]>")
_HTML_BREAK = re2.compile(r"(?i)<br\s*/?>|</?(?:p|div|details|summary|ul|ol|table|tr|center)\b[^>]*>")
_HTML_ITEM = re2.compile(r"(?i)<li\b[^>]*>")
_HTML_TAG = re2.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_FENCE = re2.compile(r"^\s*(?:>\s*)*(```|~~~)")
_HEADING = re2.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re2.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_RULE = re2.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ITEM = re2.compile(r"^([ \t]*)(?:[-*+•]|(\d{1,3})[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)$")
_ROW = re2.compile(r"^\s*\|.*\|\s*$")
_ROW_RULE = re2.compile(r"^[\s|:-]+$")
_QUOTE = re2.compile(r"^(?:[ \t]*>)+[ \t]?")
_ALERT = re2.compile(r"(?i)^\s*\[!(\w+)\]\s*(.*)$")
_DEFINITION = re2.compile(r"^ {0,3}\[[^\]]+\]:\s*\S+.*$")
_ATTRIBUTES = re2.compile(r"\{[:#.][^{}\n]{0,200}\}")

_IMAGE = re2.compile(r"!\[[^\]]*\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|\[[^\]]*\])")
_LINK = re2.compile(r"\[((?:[^\[\]\\]|\\.)*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])")
_AUTOLINK = re2.compile(r"<((?:https?://|mailto:)[^<>\s]+|[^<>\s@]+@[^<>\s]+)>")
_FOOTNOTE = re2.compile(r"\[\^[^\]]+\]")
_CODE_SPAN = re2.compile(r"(`+)([^`]+)`+")
_STRONG = re2.compile(r"(?:\*\*|__)(\S(?:[^*_]*\S)?)(?:\*\*|__)")
_EMPHASIS = re2.compile(r"(^|[^\p{L}\p{N}*_])[*_](\S(?:[^*_\n]*\S)?)[*_]($|[^\p{L}\p{N}*_])")
_STRUCK = re2.compile(r"~~([^~]+)~~")
_ESCAPE = re2.compile(r"\\([\\`*_{}\[\]()#+.!|<>~-])")
# An escaped mark waits among the private-use characters until all marks are gone.
_PRIVATE = 0xE000
_ESCAPED = {_PRIVATE + code: code for code in range(128)}
_SPACES = re2.compile(r"[ \t\x{00a0}]+")


def blocks(markdown: str) -> tuple[Block, ...]:
    """Return the headings and blocks of `markdown` in order; empty ones are left out."""
    lines = _without_html(markdown).splitlines()
    return tuple(block for block in _Reader(lines).read() if any(block.lines))


def plain(text: str) -> str:
    """Return one line of Markdown without its marks: a link is its words, an image nothing."""
    text = _ESCAPE.sub(lambda escaped: chr(_PRIVATE + ord(escaped.group(1))), text)
    text = _IMAGE.sub("", text)
    for _ in range(2):  # a link inside emphasis inside a link
        text = _LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", _AUTOLINK.sub(r"\1", text))
    text = _CODE_SPAN.sub(r"\2", text)
    for _ in range(2):  # bold inside italics
        text = _STRUCK.sub(r"\1", _EMPHASIS.sub(r"\1\2\3", _STRONG.sub(r"\1", text)))
    text = html.unescape(_ATTRIBUTES.sub("", _HTML_TAG.sub("", text))).replace("**", "")
    return str(_SPACES.sub(" ", text)).strip().translate(_ESCAPED)


def _without_html(markdown: str) -> str:
    text = _COMMENT.sub("", markdown.replace("\r\n", "\n"))
    text = _HTML_HEADING.sub(lambda match: f"\n{'#' * int(match.group(1))} {' '.join(match.group(2).split())}\n", text)
    return str(_HTML_ITEM.sub("\n- ", _HTML_BREAK.sub("\n", text)))


class _Reader:
    """Reads lines once, from top to bottom."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def read(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if _FENCE.search(line):
                yield self._code()
            elif _QUOTE.search(line):
                yield from self._quote()
            elif heading := _HEADING.search(line):
                self._at += 1
                yield Block(BlockKind.HEADING, (plain(heading.group(2)),), len(heading.group(1)))
            elif _RULE.search(line) or _DEFINITION.search(line) or not line.strip():
                self._at += 1
            elif _ROW.search(line):
                yield self._table()
            elif _ITEM.search(line):
                yield self._list()
            else:
                yield self._paragraph()

    def _take_while_text(self) -> Iterator[str]:
        while self._at < len(self._lines) and self._lines[self._at].strip():
            line = self._lines[self._at]
            if any(mark.search(line) for mark in (_FENCE, _QUOTE, _HEADING, _ROW, _ITEM)):
                return
            self._at += 1
            yield line

    def _paragraph(self) -> Block:
        taken: list[str] = []
        for line in self._take_while_text():
            if taken and (underline := _UNDERLINE.search(line)):
                level = 1 if underline.group(1).startswith("=") else 2
                return Block(BlockKind.HEADING, (plain(" ".join(taken)),), level)
            if not _RULE.search(line):
                taken.append(line)
        return Block(BlockKind.TEXT, _unbroken(taken))

    def _code(self) -> Block:
        fence = self._lines[self._at].lstrip(" >\t")[:3]
        self._at += 1
        taken: list[str] = []
        while self._at < len(self._lines) and not self._lines[self._at].lstrip(" >\t").startswith(fence):
            taken.append(self._lines[self._at].strip())
            self._at += 1
        self._at += 1
        return Block(BlockKind.CODE, tuple(line for line in taken if line))

    def _quote(self) -> Iterator[Block]:
        """Read a block quote as what it holds; `[!NOTE]` becomes the word before it."""
        inner: list[str] = []
        while self._at < len(self._lines) and _QUOTE.search(self._lines[self._at]):
            inner.append(_QUOTE.sub("", self._lines[self._at], count=1))
            self._at += 1
        label = ""
        if inner and (alert := _ALERT.search(inner[0])):
            label, inner[0] = f"{alert.group(1).capitalize()}: ", alert.group(2)
        for block in _Reader(inner).read():
            if label and block.kind is BlockKind.TEXT and block.lines:
                yield Block(BlockKind.TEXT, (label + block.lines[0], *block.lines[1:]))
                label = ""
            else:
                yield block

    def _list(self) -> Block:
        """Read items with what is indented below them; a blank line between items does not end the list."""
        items: list[str] = []
        counted: dict[int, int] = {}
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if item := _ITEM.search(line):
                if _RULE.search(line):
                    break
                items.append(f"{_mark(len(item.group(1)), item.group(2), counted)} {item.group(3)}")
            elif not line.strip():
                if not self._goes_on():
                    break
            elif self._ends_list(line):
                break
            else:
                items[-1] += " " + _QUOTE.sub("", line.strip())
            self._at += 1
        lines = (plain(item) for item in items)
        return Block(BlockKind.ITEMS, tuple(line for line in lines if line.strip("-0123456789. ")))

    def _ends_list(self, line: str) -> bool:
        """Whether a line that is no item stands for itself: another kind of block, or unindented after a blank line."""
        if any(mark.search(line) for mark in (_FENCE, _ROW, _HEADING)):
            return True
        return not line.startswith((" ", "\t")) and not self._lines[self._at - 1].strip()

    def _goes_on(self) -> bool:
        following = next((line for line in self._lines[self._at + 1 :] if line.strip()), "")
        return bool(_ITEM.search(following)) or following.startswith(("  ", "\t"))

    def _table(self) -> Block:
        rows: list[list[str]] = []
        while self._at < len(self._lines) and _ROW.search(self._lines[self._at]):
            line = self._lines[self._at].strip()
            if not _ROW_RULE.search(line):
                cells = line.strip("|").replace("\\|", "\0").split("|")
                rows.append([plain(cell.replace("\0", "|")) for cell in cells])
            self._at += 1
        return Block(BlockKind.ITEMS, _rows(rows))


def _mark(indent: int, number: str | None, counted: dict[int, int]) -> str:
    """Number items as Markdown does: from the first number on, whatever the others say."""
    for deeper in [level for level in counted if level > indent]:
        del counted[deeper]
    if number is None:
        return "-"
    counted[indent] = counted[indent] + 1 if indent in counted else int(number)
    return f"{counted[indent]}."


def _rows(rows: list[list[str]]) -> tuple[str, ...]:
    """Turn each row into a readable line, its cells named by the header; a lone row stays as it is."""
    if len(rows) <= 1:
        return tuple("; ".join(filter(None, row)) for row in rows)
    header, *body = rows
    lines = []
    for row in body:
        named = [f"{name}: {cell}" if name else cell for name, cell in zip(header, row, strict=False) if cell]
        lines.append("; ".join(named))
    return tuple(line for line in lines if line)


def _unbroken(lines: list[str]) -> tuple[str, ...]:
    """Join soft-wrapped lines; a hard break (two blanks or a backslash at the end) stays a line of its own."""
    joined: list[str] = []
    hard = True
    for line in lines:
        text = line.strip().removesuffix("\\")
        joined = [*joined, text] if hard else [*joined[:-1], f"{joined[-1]} {text}"]
        hard = line.endswith(("  ", "\\"))
    return tuple(filter(None, map(plain, joined)))

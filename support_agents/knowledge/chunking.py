"""An article as passages: plain text by heading, short enough to embed whole; it never cuts a sentence that fits."""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import re2

from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.knowledge import Article, Passage
from support_agents.knowledge.markdown import Block, BlockKind, blocks
from support_agents.screening.sentences import sentences

MAX_TOKENS = 110
# The embedder reads 128 tokens, two of them marks; title and heading are read with the text.
_WINDOW = 124
_LEAST_ROOM = 56
_SMALL = 32
_LEAD_IN_TOKENS = 40
_HEADING_SEPARATOR = " › "
_SIBLING_SEPARATOR = " · "
_PIECE = re2.compile(r"\p{L}+|\p{N}+|[^\s\p{L}\p{N}]")


def passages_of(article: Article, workspace: WorkspaceId) -> tuple[Passage, ...]:
    """Return the passages of `article` in reading order; equal content gives equal ids, run after run."""
    pieces = _merged(tuple(_pieces(article)), article)
    made = (_passage(article, workspace, piece) for piece in pieces)
    return tuple({passage.id: passage for passage in made}.values())


def searchable(passage: Passage) -> str:
    """Return what is embedded of a passage: its title and heading, then its text."""
    above = _HEADING_SEPARATOR.join(filter(None, (passage.title, passage.heading)))
    return f"{above}\n{passage.text}"


def estimated_tokens(text: str) -> int:
    """Estimate word pieces from above, without the tokenizer: long, foreign and mixed words fall into more of them."""
    return sum(
        _tokens_of(word) if word.isalpha() else sum(map(_tokens_of, _PIECE.findall(word))) for word in text.split()
    )


def _tokens_of(piece: str) -> int:
    if not piece.isascii():
        return 1 + len(piece) // 2
    if not piece.isalpha():
        return 1 + (len(piece) - 1) // 3
    return 1 + (len(piece) - 1) // 7 + (not piece.islower())  # names are rarely one token


@dataclass(frozen=True)
class _Piece:
    """Text below one heading path, before it has an identity."""

    path: tuple[str, ...]
    text: str

    @property
    def tokens(self) -> int:
        return estimated_tokens(self.text)


def _pieces(article: Article) -> Iterator[_Piece]:
    for path, content in _sections(article):
        room = _room(article, path)
        for text in _packed(content, room):
            yield _Piece(path, text)


def _sections(article: Article) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Group blocks by the headings above them; a heading that repeats the title says nothing and is left out."""
    path: list[tuple[int, str]] = []
    content: list[Block] = []
    for block in blocks(article.body):
        if block.kind is not BlockKind.HEADING:
            content.append(block)
            continue
        yield tuple(name for _, name in path), content
        content = []
        path = [(level, name) for level, name in path if level < block.level]
        if block.lines[0].casefold() != article.title.casefold():
            path.append((block.level, block.lines[0]))
    yield tuple(name for _, name in path), content


def _room(article: Article, path: Sequence[str]) -> int:
    above = estimated_tokens(_HEADING_SEPARATOR.join((article.title, *path)))
    return max(_LEAST_ROOM, min(MAX_TOKENS, _WINDOW - above))


def _packed(content: Sequence[Block], room: int) -> Iterator[str]:
    """Fill passages with whole units; a list or code that goes on in the next passage takes its lead-in along."""
    text, tokens = "", 0
    for block, lead_in in _with_lead_ins(content):
        for unit in _units(block, lead_in, room):
            if text and tokens + unit.tokens > room:
                yield text
                carried = lead_in if lead_in and not unit.starts_block else ""
                text, tokens = carried, estimated_tokens(carried)
            glue = "\n" if block.kind is not BlockKind.TEXT or unit.starts_block else " "
            text = f"{text}{glue}{unit.text}" if text else unit.text
            tokens += unit.tokens
    if text:
        yield text


def _with_lead_ins(content: Sequence[Block]) -> Iterator[tuple[Block, str]]:
    """Pair each list with the line that introduces it; that line is not also a paragraph of its own."""
    at = 0
    while at < len(content):
        block = content[at]
        following = content[at + 1] if at + 1 < len(content) else None
        lead_in = _lead_in(block, following)
        if following is not None and lead_in:
            if rest := block.lines[:-1] or _but_last_sentence(block.lines[-1], lead_in):
                yield replace(block, lines=rest), ""
            yield following, lead_in
            at += 2
        else:
            yield block, ""
            at += 1


def _lead_in(block: Block, following: Block | None) -> str:
    """Return the end of a paragraph that a list or code belongs to: it ends in a colon, or it is one short line."""
    if following is None or block.kind is not BlockKind.TEXT or following.kind is BlockKind.TEXT:
        return ""
    last = block.lines[-1]
    sentence = sentences(last)[-1] if len(block.lines) == 1 else last
    introduces = sentence.endswith(":") or (len(block.lines) == 1 and sentence == last)
    return sentence if introduces and estimated_tokens(sentence) <= _LEAD_IN_TOKENS else ""


def _but_last_sentence(line: str, last: str) -> tuple[str, ...]:
    rest = line.removesuffix(last).strip()
    return (rest,) if rest else ()


@dataclass(frozen=True)
class _Unit:
    """The least that is not cut."""

    text: str
    tokens: int
    starts_block: bool


def _units(block: Block, lead_in: str, room: int) -> Iterator[_Unit]:
    """Yield sentences of text and lines of lists and code; a list's first item carries the lead-in."""
    prefix = f"{lead_in}\n" if lead_in else ""
    budget = room - estimated_tokens(prefix)
    first = True
    for line in block.lines:
        for part in sentences(line) if block.kind is BlockKind.TEXT else (line,):
            for text in _cut(part, budget):
                whole = f"{prefix}{text}" if first else text
                yield _Unit(whole, estimated_tokens(whole), starts_block=first)
                first = False


def _cut(text: str, room: int) -> Iterator[str]:
    """Cut what alone exceeds `room`: at sentence ends where there are any, else between words."""
    if estimated_tokens(text) <= room:
        yield text
        return
    parts = sentences(text)
    if len(parts) > 1:
        for part in parts:
            yield from _cut(part, room)
        return
    taken, tokens = "", 0
    for word in text.split(" "):
        size = estimated_tokens(word)
        if taken and tokens + size > room:
            yield taken
            taken, tokens = "", 0
        taken, tokens = f"{taken} {word}".strip(), tokens + size
    yield taken


def _merged(pieces: Sequence[_Piece], article: Article) -> tuple[_Piece, ...]:
    """Join a small piece to its predecessor when both stand below the same parent and fit into one passage."""
    merged: list[_Piece] = []
    for piece in pieces:
        joined = _join(merged[-1], piece) if merged else None
        if joined is not None and joined.tokens <= _room(article, joined.path):
            merged[-1] = joined
        else:
            merged.append(piece)
    return tuple(merged)


def _join(first: _Piece, second: _Piece) -> _Piece | None:
    if min(first.tokens, second.tokens) > _SMALL:
        return None
    text = f"{first.text}\n{second.text}"
    if first.path == second.path:
        return _Piece(first.path, text)
    if first.path and second.path and first.path[:-1] == second.path[:-1]:
        return _Piece((*first.path[:-1], f"{first.path[-1]}{_SIBLING_SEPARATOR}{second.path[-1]}"), text)
    return None


def _passage(article: Article, workspace: WorkspaceId, piece: _Piece) -> Passage:
    heading = _HEADING_SEPARATOR.join(piece.path)
    until = (article.verified_until.isoformat(),) if article.verified_until else ()
    parts = (article.title, heading, piece.text, article.audience.value, article.language, *until)
    content_hash = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return Passage(
        id=PassageId(uuid.uuid5(workspace, f"{article.id}\0{content_hash}")),
        workspace=workspace,
        article_id=article.id,
        title=article.title,
        heading=heading,
        text=piece.text,
        audience=article.audience,
        language=article.language,
        content_hash=content_hash,
        verified_until=article.verified_until,
    )

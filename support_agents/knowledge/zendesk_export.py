"""One file of a Zendesk account: articles to sync, macros, solved replies; it stores and judges nothing."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from support_agents.domain.errors import Failed, Ok, SupportError
from support_agents.domain.knowledge import Article
from support_agents.knowledge.loaders import Loaded, Origin, Read, gathered, parsed
from support_agents.knowledge.parsing.limits import INPUT_BYTES
from support_agents.knowledge.parsing.parser import FileParser
from support_agents.knowledge.parsing.wire import RawArticle

_ABSENT = frozenset(("empty", "shape"))
_WANTED = "give a JSON object with `articles`, `macros` or `tickets`"


@dataclass(frozen=True)
class Export:
    """What the file holds; `articles` is None where it has no help centre, so that stored ones are left alone."""

    articles: Loaded | None
    macros: tuple[RawArticle, ...]
    replies: tuple[RawArticle, ...]


def read_export(path: Path, *, with_replies: bool = False) -> Export:
    """Read the file in a process of its own; replies only if asked for. Blocks the calling thread."""
    content = _content(path)
    with FileParser() as parser:
        articles = parsed(parser, "json", path.name, content).result
        if isinstance(articles, Failed) and articles.code not in _ABSENT:
            raise SupportError("export_unreadable", f"{path} {articles.message}; {_WANTED}")
        macros = _found(parser, "zendesk_macros", path, content)
        replies = _found(parser, "zendesk_replies", path, content) if with_replies else ()
    if isinstance(articles, Ok):
        found = gathered((Read(path.name, Ok(tuple(map(_named, articles.value)))),))
        return Export(replace(found, origin=Origin.ZENDESK), macros, replies)
    if not (macros or replies):
        raise SupportError("export_unreadable", f"{path} holds nothing that can be used; {_WANTED}")
    return Export(None, macros, replies)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > INPUT_BYTES:
            raise SupportError("export_too_large", f"{path} is larger than {INPUT_BYTES:,} bytes; split it")
        return path.read_bytes()
    except OSError as error:
        raise SupportError("export_unreadable", f"cannot read {path}: {error.strerror}; check the path") from error


def _found(parser: FileParser, kind: str, path: Path, content: bytes) -> tuple[RawArticle, ...]:
    found = parser.parse(kind, path.name, content)
    if isinstance(found, Ok):
        return tuple(found.value)
    if found.code in _ABSENT:
        return ()
    raise SupportError("export_unreadable", f"{path} {found.message}; split it or export it again")


def _named(article: Article) -> Article:
    return article.model_copy(update={"id": _id(article.id)})


def _id(key: str) -> str:
    """Name an article by where it came from, so that a folder's sync leaves it alone; `Origin.of` reads it back."""
    number = key if key.isascii() and key.isdigit() else str(int(hashlib.sha256(key.encode()).hexdigest()[:12], 16))
    return f"zendesk-{number}"

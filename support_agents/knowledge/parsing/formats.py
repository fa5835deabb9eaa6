"""Which parser reads which kind of file; it runs in the parsing process only."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from support_agents.knowledge.parsing import documents, pages
from support_agents.knowledge.parsing.wire import RawArticle, UnreadableError

_LONGEST_FIELD = 1_000_000
_QUESTION = ("question", "title", "q", "name")
_ANSWER = ("answer", "content", "body", "a", "text")
_KEY = ("id", "doc_id", "key")
_SOLVED = ("solved", "closed")


def parse(kind: str, name: str, content: bytes) -> Iterator[RawArticle]:
    """Yield the articles of a file; raise `UnreadableError` or whatever the parser raises."""
    reader = _READERS.get(kind)
    if reader is None:
        raise UnreadableError("unknown_kind", f"'{kind}' is no kind of file that can be read")
    return reader(name, content)


def _csv(name: str, content: bytes) -> Iterator[RawArticle]:
    """Read question and answer columns by their names in the first line."""
    text = _text(content)
    rows = csv.DictReader(io.StringIO(text), dialect=_dialect(text))
    columns = {(column or "").strip().lower() for column in rows.fieldnames or ()}
    if not (columns & {*_QUESTION} and columns & {*_ANSWER}):
        raise UnreadableError("columns", "needs a column `question` and a column `answer` in its first line")
    for number, row in enumerate(rows, start=2):
        plain = {(key or "").strip().lower(): value for key, value in row.items() if isinstance(value, str)}
        yield _pair(name, number, plain)


def _dialect(text: str) -> type[csv.Dialect]:
    """What stands between the columns, by the first line; long fields may be read from now on."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        return csv.Sniffer().sniff(text.partition("\n")[0], delimiters=",;\t")
    except csv.Error:
        return csv.excel


def _text_file(name: str, content: bytes) -> Iterator[RawArticle]:
    """Read plain text as it is."""
    yield RawArticle(key=name, title="", body=_decoded(content))


def _table(name: str, content: bytes) -> Iterator[RawArticle]:
    """Read a table with whatever columns, a line a row."""
    text = _decoded(content)
    rows = csv.reader(io.StringIO(text), dialect=_dialect(text))
    yield RawArticle(key=name, title="", body="\n".join(" | ".join(map(str.strip, row)) for row in rows))


def _jsonl(name: str, content: bytes) -> Iterator[RawArticle]:
    for number, line in enumerate(_text(content).splitlines(), start=1):
        if line.strip():
            entry = _object(line, f"line {number}")
            yield _pair(name, number, {key: str(value) for key, value in entry.items() if value is not None})


def _pair(name: str, number: int, row: Mapping[str, str]) -> RawArticle:
    question = next((row[one].strip() for one in _QUESTION if row.get(one, "").strip()), "")
    answer = next((row[one] for one in _ANSWER if row.get(one, "").strip()), "")
    if not question or not answer:
        raise UnreadableError("incomplete", f"line {number} lacks a question or an answer")
    key = next((row[one].strip() for one in _KEY if row.get(one, "").strip()), "")
    return RawArticle(
        # Named by its question, so that a line that moves is not taken for a new article.
        key=key or f"{name}#{hashlib.sha256(question.encode()).hexdigest()[:12]}",
        title=question,
        body=answer,
        language=row.get("language", ""),
        audience=row.get("audience", ""),
        updated=row.get("updated", ""),
        verified_until=row.get("verified_until", ""),
    )


def _zendesk(_name: str, content: bytes) -> Iterator[RawArticle]:
    """Read a help-centre export: `articles` with HTML bodies; drafts are left out, segments are for us alone.

    A translation has the id of its article and is known by its locale as well.
    """
    entry = _object(_text(content), "the file")
    articles = entry.get("articles")
    if not isinstance(articles, list):
        raise UnreadableError("shape", "has no list `articles`, as an export of Zendesk's help centre has")
    locales: dict[str, set[str]] = {}
    for article in articles:
        if not isinstance(article, dict) or article.get("draft"):
            continue
        body = pages.markdown_of_fragment(str(article.get("body") or ""))
        if body.strip():
            key, locale = str(article.get("id") or article.get("title")), str(article.get("locale") or "")
            known = locales.setdefault(key, set())
            is_translation = bool(known) and locale not in known
            known.add(locale)
            yield RawArticle(
                key=f"{key} {locale}" if is_translation else key,
                title=str(article.get("title") or article.get("name") or ""),
                body=body,
                language=locale,
                audience="internal" if _is_restricted(article) else "public",
                updated=str(article.get("updated_at") or "")[:10],
            )


def _is_restricted(article: Mapping[str, object]) -> bool:
    """Whether not everybody may read it: an account names one segment of its readers, or several in a list."""
    return article.get("user_segment_id") is not None or bool(article.get("user_segment_ids"))


def _zendesk_macros(_name: str, content: bytes) -> Iterator[RawArticle]:
    """Read the active macros of a Zendesk export that write to the customer; the body is their wording."""
    macros = _object(_text(content), "the file").get("macros")
    for macro in macros if isinstance(macros, list) else ():
        if not isinstance(macro, dict) or macro.get("active") is False:
            continue
        wording = _wording(macro.get("actions"))
        if wording.strip():
            title = str(macro.get("title") or "").strip()
            yield RawArticle(key=str(macro.get("id") or title), title=title, body=wording)


def _wording(actions: object) -> str:
    """Return what a macro writes: its HTML where it has any; nothing when that is a note for colleagues."""
    steps = [step for step in actions if isinstance(step, dict)] if isinstance(actions, list) else []
    values = {str(step.get("field")): _last(step.get("value")) for step in steps}
    if values.get("comment_mode_is_public", "true").lower() == "false":
        return ""
    html = values.get("comment_value_html", "")
    return pages.markdown_of_fragment(html) if html.strip() else values.get("comment_value", "")


def _last(value: object) -> str:
    """Return a value as text; Zendesk writes some as a list of a channel and the text."""
    last = value[-1] if isinstance(value, list) and value else value
    return "" if last is None or isinstance(last, list | dict) else str(last)


def _zendesk_replies(_name: str, content: bytes) -> Iterator[RawArticle]:
    """Read our last public reply of every solved ticket of an export, with its channel, its writer and the customer."""
    tickets = _object(_text(content), "the file").get("tickets")
    for ticket in tickets if isinstance(tickets, list) else ():
        if not isinstance(ticket, dict) or ticket.get("status") not in _SOLVED or ticket.get("requester_id") is None:
            continue  # whose words are the customer's is not told
        comments, via = ticket.get("comments"), ticket.get("via")
        replies = [
            (str(comment.get("author_id")), str(comment.get("plain_body") or comment.get("body") or ""))
            for comment in (comments if isinstance(comments, list) else ())
            if isinstance(comment, dict)
            and comment.get("public") is True
            and comment.get("author_id") is not None
            and comment.get("author_id") != ticket.get("requester_id")
        ]
        if replies and replies[-1][1].strip():
            channel = str(via.get("channel") or "") if isinstance(via, dict) else ""
            customer, (writer, body) = str(ticket.get("requester_id")), replies[-1]
            yield RawArticle(key=customer, title=channel, body=body, author=writer)


def _object(text: str, where: str) -> dict[str, Any]:
    """Read an object; half of a character, which no file can hold, becomes a question mark."""
    try:
        entry = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            entry = json.loads(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace"))
    except ValueError:
        raise UnreadableError("not_json", f"{where} is not JSON") from None
    if not isinstance(entry, dict):
        raise UnreadableError("not_json", f"{where} is not a JSON object")
    return entry


def _decoded(content: bytes) -> str:
    """Decode what a customer's machine wrote, in whatever encoding; bytes that are no text at all are refused."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not marked and b"\x00" in content:
        raise UnreadableError("invalid", "is not text")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError("invalid", "is in no encoding that is known")


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("not_utf8", "not UTF-8 text") from None


_READERS: Mapping[str, Callable[[str, bytes], Iterator[RawArticle]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "json": _zendesk,
    "zendesk_macros": _zendesk_macros,
    "zendesk_replies": _zendesk_replies,
    "html": pages.html,
    "sitemap": pages.sitemap,
    "pdf": documents.pdf,
    "docx": documents.docx,
    "text": _text_file,
    "table": _table,
    "page": pages.whole,
}

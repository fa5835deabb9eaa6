"""A folder of files as articles; one broken file never stops the others, and none but Markdown is parsed here."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

import re2
import yaml

from support_agents.domain.errors import Failed, Ok
from support_agents.domain.knowledge import Article, Audience
from support_agents.knowledge.parsing.limits import INPUT_BYTES
from support_agents.knowledge.parsing.parser import FileParser
from support_agents.knowledge.parsing.wire import RawArticle
from support_agents.screening.language import detect

LARGEST_BYTES = 1_000_000
_FRONT_BYTES = 2_000
# Part of every content hash: raise it when chunking changes, and the next sync stores all passages anew.
FORMAT = b"passages-2\n"
_FRONT_MATTER = re2.compile(r"^\s*---[ \t]*\r?\n(?s:(.*?))\r?\n---[ \t]*(?:\r?\n|$)")
_FIRST_HEADING = re2.compile(r"(?m)^#[ \t]+(.+?)[ \t#]*$")
_ID_LINE = re2.compile(rb"(?m)^id:[ \t]*[\"']?([^\"'\r\n]+?)[\"']?[ \t]*\r?$")
# An article of a Zendesk export that was synced by itself; in a folder of ours nothing should be called so.
_EXPORTED = re2.compile(r"zendesk-[0-9]+")
_LANGUAGE_CONFIDENCE = 0.8
# How a file is read, by its ending; whatever is not Markdown is read in a process of its own.
KINDS = {
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".json": "json",
}
_SINGLE = frozenset(("markdown", "html", "pdf", "docx"))
# What a person can do about a file that could not be read, by the code of the failure.
_ADVICE = {
    "too_large": "split it",
    "too_costly": "split it, or save it in a plainer format such as Markdown",
    "too_much_memory": "split it, or save it in a plainer format such as Markdown",
    "too_deep": "save it in a plainer format such as Markdown",
    "expands": "save it in a plainer format such as Markdown",
    "unreadable": "see to its permissions",
    "not_utf8": "save it as UTF-8",
    "not_json": "export it again, or mend it by hand",
    "front_matter": "mend the lines between the two `---`",
    "fields": "correct it in the file",
    "columns": "name the columns so",
    "incomplete": "fill that line in, or take it out",
    "shape": "export it from the help centre again, or take it out of the folder",
    "empty": "take it out of the folder, or have the text of a scan recognised first",
    "invalid": "open it to see if it is damaged, and save it anew",
    "id_taken": "give one of the two another `id`",
    "unreachable": "check the address, and sync again later",
    "status": "list the address that the page is at now, or none",
    "not_https": "list its https address",
    "invalid_url": "correct it in the list",
    "encoded": "save the page and sync it as a file",
}


@dataclass(frozen=True)
class BrokenFile:
    """A file that could not be read, why in a person's words, and the id it most likely has; "" when it held many."""

    path: str
    reason: str
    article_id: str


class Origin(StrEnum):
    """Where articles come from; a sync of one origin leaves those of the others alone."""

    FOLDER = "folder"
    WEB = "web"
    ZENDESK = "zendesk"

    @classmethod
    def of(cls, article_id: str) -> "Origin":
        """Tell by its id where an article came from: a page is known by its address, an export's by its number."""
        if "://" in article_id:
            return cls.WEB
        return cls.ZENDESK if _EXPORTED.fullmatch(article_id) else cls.FOLDER


@dataclass(frozen=True)
class Loaded:
    """All that a folder, or a list of pages, held."""

    articles: tuple[Article, ...]
    broken: tuple[BrokenFile, ...]
    origin: Origin = Origin.FOLDER

    def owns(self, article_id: str) -> bool:
        """Whether a stored article came from this origin."""
        return Origin.of(article_id) is self.origin


def load_folder(folder: Path) -> Loaded:
    """Read every file of a known kind below `folder`, hidden ones and links excepted.

    Of two equal ids the first path wins. A file of many articles counts as broken only if none of it can be read.
    """
    with FileParser() as parser:
        found = ((path.relative_to(folder).as_posix(), path) for path in article_files(folder))
        return gathered(_read(path, name, parser) for name, path in found)


@dataclass(frozen=True)
class Read:
    """What one file gave: articles, or why there are none."""

    name: str
    result: Ok[tuple[Article, ...]] | Failed
    likely_id: str = ""


def gathered(files: Iterable[Read]) -> Loaded:
    """Put the articles of files together; what is broken is kept apart."""
    articles: dict[str, Article] = {}
    broken: list[BrokenFile] = []
    for file in files:
        match file.result:
            case Failed() as failed:
                broken.append(_broken(file.name, failed, file.likely_id))
            case Ok(found):
                for article in found:
                    if article.id in articles:
                        taken = Failed("id_taken", f"the id '{article.id}' is already taken")
                        broken.append(_broken(file.name, taken, article.id))
                    else:
                        articles[article.id] = article
    return Loaded(tuple(articles.values()), tuple(broken))


def _broken(name: str, failed: Failed, article_id: str) -> BrokenFile:
    """Say what is wrong and, where the message does not say it itself, what to do."""
    advice = _ADVICE.get(failed.code)
    return BrokenFile(name, f"{failed.message}; {advice}" if advice else failed.message, article_id)


def _read(path: Path, name: str, parser: FileParser) -> Read:
    if path.suffix.lower() == ".md":
        match load_file(path, name):
            case Ok(article):
                return Read(name, Ok((article,)))
            case Failed() as failed:
                return Read(name, failed, _likely_id(path, name))
    kind = KINDS[path.suffix.lower()]
    try:
        if path.stat().st_size > INPUT_BYTES:
            return Read(name, Failed("too_large", f"larger than {INPUT_BYTES:,} bytes"), _id_of(kind, name))
        content = path.read_bytes()
    except OSError as error:
        return Read(name, Failed("unreadable", f"cannot be read: {error.strerror}"), _id_of(kind, name))
    return parsed(parser, kind, name, content)


def parsed(parser: FileParser, kind: str, name: str, content: bytes) -> Read:
    """Return the articles of a file that another process reads."""
    match parser.parse(kind, name, content):
        case Failed() as failed:
            return Read(name, failed, _id_of(kind, name))
        case Ok(raw):
            try:
                return Read(name, Ok(tuple(_of_raw(one, name) for one in raw)))
            except ValueError as error:
                return Read(name, Failed("fields", str(error)), _id_of(kind, name))


def _id_of(kind: str, name: str) -> str:
    """Return the id of the only article of a file, "" when it may hold many."""
    return name if kind in _SINGLE else ""


def _of_raw(raw: RawArticle, name: str) -> Article:
    """Return an article from what a parser found; equal finds have equal hashes, wherever they stand in the file."""
    fields = (raw.key, raw.title, raw.body, raw.language, raw.audience, raw.updated, raw.verified_until)
    return Article(
        id=raw.key,
        title=_title({"title": raw.title}, raw.body, name),
        body=raw.body,
        audience=_audience(raw.audience or Audience.PUBLIC.value),
        language=_language(raw.language or None, raw.body),
        updated=_date(raw.updated or None),
        verified_until=_date(raw.verified_until or None),
        content_hash=hashlib.sha256(FORMAT + "\0".join(fields).encode()).hexdigest(),
    )


def load_file(path: Path, name: str) -> Ok[Article] | Failed:
    """Read one file; its id is the front matter's `id`, else `name` without its ending."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return Failed("too_large", f"larger than {LARGEST_BYTES:,} bytes")
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        fields, body = _split(text)
        return Ok(_article(fields, body, name, hashlib.sha256(FORMAT + content).hexdigest()))
    except UnicodeDecodeError:
        return Failed("not_utf8", "not UTF-8 text")
    except OSError as error:
        return Failed("unreadable", f"cannot be read: {error.strerror}")
    except yaml.YAMLError as error:
        return Failed("front_matter", f"front matter is not YAML: {str(error).splitlines()[0]}")
    except ValueError as error:
        return Failed("fields", str(error))


def article_files(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder` that are read, in order of their paths."""
    for path in sorted(one for one in folder.rglob("*") if one.suffix.lower() in KINDS):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and not path.is_symlink() and path.is_file():
            yield path


def _likely_id(path: Path, name: str) -> str:
    """Guess the id of a file that cannot be read properly, so that its last good version is kept."""
    try:
        with path.open("rb") as file:
            found = _ID_LINE.search(file.read(_FRONT_BYTES))
    except OSError:
        found = None
    return found.group(1).decode("utf-8", "replace") if found else name.removesuffix(".md")


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML without aliases, a few lines of which can stand for gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("front matter uses an alias (*); write the value out")
        return super().compose_node(parent, index)


def _split(text: str) -> tuple[Mapping[str, object], str]:
    match = _FRONT_MATTER.search(text)
    if match is None:
        return {}, text
    fields = yaml.load(match.group(1), Loader=_PlainLoader) or {}  # noqa: S506 - a safe loader that knows less
    if not isinstance(fields, dict):
        raise ValueError("front matter is not a list of fields")  # noqa: TRY004 - the file is wrong, not the caller
    return {str(key): value for key, value in fields.items()}, text[match.end() :]


def _article(fields: Mapping[str, object], body: str, name: str, content_hash: str) -> Article:
    if not body.strip():
        raise ValueError("no text below the front matter")
    return Article(
        id=str(fields.get("id") or name.removesuffix(".md")),
        title=_title(fields, body, name),
        body=body,
        audience=_audience(fields.get("audience", Audience.PUBLIC.value)),
        language=_language(fields.get("language"), body),
        updated=_date(fields.get("updated")),
        verified_until=_date(fields.get("verified_until")),
        content_hash=content_hash,
    )


def _title(fields: Mapping[str, object], body: str, name: str) -> str:
    if given := str(fields.get("title") or "").strip():
        return given
    heading = _FIRST_HEADING.search(body)
    return heading.group(1).strip() if heading else Path(name).stem.replace("-", " ").replace("_", " ")


def _audience(value: object) -> Audience:
    try:
        return Audience(str(value).strip().lower())
    except ValueError:
        raise ValueError(f"audience is '{value}', not public or internal") from None


def _language(value: object, body: str) -> str:
    if value is not None:
        return str(value).strip().lower().replace("_", "-").split("-")[0]
    return detect(body, default="", confidence=_LANGUAGE_CONFIDENCE).code


def _date(value: object) -> date | None:
    match value:
        case None:
            return None
        case datetime():
            return value.date()
        case date():
            return value
        case _:
            return date.fromisoformat(str(value).strip()[:10])

"""A folder of Markdown files with front matter as articles; one broken file never stops the others."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import re2
import yaml

from support_agents.domain.errors import Failed, Ok
from support_agents.domain.knowledge import Article, Audience
from support_agents.screening.language import detect

LARGEST_BYTES = 1_000_000
_FRONT_BYTES = 2_000
# Part of every content hash: raise it when chunking changes, and the next sync stores all passages anew.
FORMAT = b"passages-1\n"
_FRONT_MATTER = re2.compile(r"^\s*---[ \t]*\r?\n(?s:(.*?))\r?\n---[ \t]*(?:\r?\n|$)")
_FIRST_HEADING = re2.compile(r"(?m)^#[ \t]+(.+?)[ \t#]*$")
_ID_LINE = re2.compile(rb"(?m)^id:[ \t]*[\"']?([^\"'\r\n]+?)[\"']?[ \t]*\r?$")
_LANGUAGE_CONFIDENCE = 0.8


@dataclass(frozen=True)
class BrokenFile:
    """A file that could not become an article, why in a person's words, and the id it most likely has."""

    path: str
    reason: str
    article_id: str


@dataclass(frozen=True)
class Loaded:
    """All that a folder held."""

    articles: tuple[Article, ...]
    broken: tuple[BrokenFile, ...]


def load_folder(folder: Path) -> Loaded:
    """Read every `.md` file below `folder`, hidden ones and links excepted; of two equal ids the first path wins."""
    articles: dict[str, Article] = {}
    broken: list[BrokenFile] = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        match load_file(path, name):
            case Ok(article) if article.id in articles:
                broken.append(BrokenFile(name, f"the id '{article.id}' is already taken", article.id))
            case Ok(article):
                articles[article.id] = article
            case Failed() as failed:
                broken.append(BrokenFile(name, failed.message, _likely_id(path, name)))
    return Loaded(tuple(articles.values()), tuple(broken))


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
        return Failed("invalid", str(error))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.md")):
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


def _split(text: str) -> tuple[Mapping[str, object], str]:
    match = _FRONT_MATTER.search(text)
    if match is None:
        return {}, text
    fields = yaml.load(match.group(1), Loader=yaml.CSafeLoader) or {}
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
    return detect(body, default="en", confidence=_LANGUAGE_CONFIDENCE).code


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

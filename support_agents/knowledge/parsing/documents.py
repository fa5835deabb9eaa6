"""PDF and DOCX as Markdown, page by page and paragraph by paragraph; it runs in the parsing process only."""

import io
import zipfile
from collections.abc import Iterator
from itertools import pairwise

from support_agents.knowledge.parsing.limits import ARCHIVE_DEPTH, EXPANSION, PAGES, SMALL_TEXT
from support_agents.knowledge.parsing.wire import RawArticle, UnreadableError

_CHUNK = 65_536
_ZIP_MARK = b"PK\x03\x04"
_MOST_MEMBERS = 5_000


def pdf(name: str, content: bytes) -> Iterator[RawArticle]:
    """Read the text of all pages; an encrypted file and one of too many pages are refused."""
    from pypdf import PdfReader  # noqa: PLC0415

    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted:
        raise UnreadableError("encrypted", "is encrypted; save it without a password")
    if len(reader.pages) > PAGES:
        raise UnreadableError("too_many_pages", f"has more than {PAGES} pages; split it")
    limit = max(SMALL_TEXT, EXPANSION * len(content))
    texts, size = [], 0
    for page in reader.pages:
        text = page.extract_text()
        size += len(text)
        if size > limit:
            raise UnreadableError("expands", f"grows to more than {EXPANSION} times its size")
        texts.append(_paragraphs(text))
    title = (reader.metadata.title if reader.metadata else "") or ""
    yield RawArticle(key=name, title=str(title).strip(), body="\n\n".join(filter(None, texts)))


def docx(name: str, content: bytes) -> Iterator[RawArticle]:
    """Read headings, paragraphs, lists and tables in their order."""
    from docx import Document  # noqa: PLC0415
    from docx.table import Table  # noqa: PLC0415

    check_archive(content)
    document = Document(io.BytesIO(content))
    lines = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            lines += [" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows]
        elif text := block.text.strip():
            lines.append(_styled(str(block.style.name if block.style else ""), text))
    title = document.core_properties.title or ""
    yield RawArticle(key=name, title=title.strip(), body="\n\n".join(lines))


def check_archive(content: bytes, depth: int = 1, room: int | None = None) -> int:
    """Refuse an archive that grows too large or holds archives too deep; what headers claim is not believed."""
    if depth > ARCHIVE_DEPTH:
        raise UnreadableError("too_deep", f"holds archives more than {ARCHIVE_DEPTH} deep")
    limit = max(SMALL_TEXT, EXPANSION * len(content)) if room is None else room
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if len(archive.infolist()) > _MOST_MEMBERS:
            raise UnreadableError("expands", f"holds more than {_MOST_MEMBERS} files")
        for member in archive.infolist():
            with archive.open(member) as opened:
                kept = bytearray()
                while piece := opened.read(_CHUNK):
                    limit -= len(piece)
                    if limit < 0:
                        raise UnreadableError("expands", f"grows to more than {EXPANSION} times its size")
                    if kept or piece.startswith(_ZIP_MARK):
                        kept += piece
            if kept:
                limit = check_archive(bytes(kept), depth + 1, limit)
    return limit


def _styled(style: str, text: str) -> str:
    if style == "Title":
        return f"# {text}"
    if style.startswith("Heading"):
        level = style.removeprefix("Heading").strip()
        return f"{'#' * (min(5, int(level)) + 1 if level.isdigit() else 2)} {text}"
    return f"- {text}" if style.startswith("List") else text


def _paragraphs(text: str) -> str:
    """Join the lines of a page that go on in the next one; an empty line and a full stop end a paragraph."""
    lines = [line.strip() for line in text.splitlines()]
    joined = lines[0] if lines else ""
    for before, line in pairwise(lines):
        ends = not before or not line or before[-1] in ".:!?"
        joined += f"\n\n{line}" if ends else f" {line}"
    return joined.strip()

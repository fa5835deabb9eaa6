"""A customer's file: fetched by the guarded client, parsed in the locked-down process, cut, screened; nothing is kept.

The name in the payload only tells what kind of file is expected; it is never a path, and the parser is not told it.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from db.repositories.attachments import ReadFile
from support_agents.domain.errors import Failed, Ok
from support_agents.domain.ticket import Attachment, AttachmentOutcome
from support_agents.knowledge.parsing.parser import FileParser
from support_agents.ports import PageSource
from support_agents.screening.attached import is_tainted

# Characters of a file that are kept: some seven pages.
LONGEST = 20_000
LARGEST_BYTES = 5_000_000
# Files that are held in memory at once.
_AT_ONCE = 4

PICTURE, OTHER = "picture", "other"
_BY_SUFFIX: Mapping[str, str] = {
    "pdf": "pdf",
    "docx": "docx",
    **dict.fromkeys(("txt", "text", "log", "md"), "text"),
    **dict.fromkeys(("csv", "tsv"), "table"),
    **dict.fromkeys(("html", "htm"), "page"),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "heic", "heif", "bmp", "tif", "tiff", "svg"), PICTURE),
}
_BY_TYPE: Mapping[str, str] = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/plain": "text",
    "text/csv": "table",
    "text/html": "page",
}
_PDF, _ZIP = b"%PDF-", b"PK\x03\x04"
_BEGINS: Mapping[str, bytes] = {"pdf": _PDF, "docx": _ZIP}
_NO_TEXT = (_PDF, _ZIP, b"MZ", b"\x7fELF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
_LOOKED_AT = 1_024  # a PDF may have as many bytes before its mark

_TELLS: Mapping[str, AttachmentOutcome] = {
    **dict.fromkeys(
        ("invalid_url", "not_https", "private_address", "host_not_listed", "not_the_credentials_server"),
        AttachmentOutcome.REFUSED,
    ),
    **dict.fromkeys(("status", "encoded"), AttachmentOutcome.NOT_GIVEN),
    "unreachable": AttachmentOutcome.UNREACHABLE,
    "too_large": AttachmentOutcome.TOO_LARGE,
    "encrypted": AttachmentOutcome.LOCKED,
    "empty": AttachmentOutcome.EMPTY,
    **dict.fromkeys(
        ("too_costly", "too_much_memory", "too_deep", "expands", "too_many_pages"), AttachmentOutcome.TOO_COSTLY
    ),
}


def kind_of(attachment: Attachment) -> str:
    """What the signed payload says the file is: a kind that can be read, `picture`, or `other`."""
    known = _BY_SUFFIX.get(attachment.filename.rpartition(".")[2].strip().lower())
    declared = attachment.content_type.partition(";")[0].strip().lower()
    return known or (PICTURE if declared.startswith("image/") else _BY_TYPE.get(declared, OTHER))


def is_of(kind: str, content: bytes) -> bool:
    """Whether the bytes can be what they are said to be."""
    if (begins := _BEGINS.get(kind)) is not None:
        return begins in content[:_LOOKED_AT] if kind == "pdf" else content.startswith(begins)
    return not content.startswith(_NO_TEXT)


@dataclass
class AttachmentReader:
    """Reads files a few at a time and parses them one after the other, in a process without network or secrets."""

    source: PageSource
    _parser: FileParser = field(default_factory=FileParser, init=False, repr=False)
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="parsing"), init=False, repr=False
    )
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE), init=False, repr=False)

    async def warm(self) -> None:
        """Start the parsing process ahead of the first file; without it that one would be a second late."""
        await self._parsed("text", b"ready")

    async def close(self) -> None:
        """End the parsing process."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._parser.close)
        self._thread.shutdown(wait=False)

    async def read(self, attachment: Attachment) -> ReadFile | Failed:
        """Return what became of the file; `Failed` when it may be had a little later."""
        kind = kind_of(attachment)
        if kind in {PICTURE, OTHER}:
            return ReadFile(AttachmentOutcome.PICTURE if kind == PICTURE else AttachmentOutcome.OTHER_KIND, kind)
        if attachment.size > LARGEST_BYTES:
            return ReadFile(AttachmentOutcome.TOO_LARGE, kind)
        async with self._room:
            fetched = await self.source.fetch(attachment.url)
            if isinstance(fetched, Failed):
                return fetched if fetched.retryable else ReadFile(outcome_of(fetched), kind)
            return await self._read(kind, fetched.value)

    async def _read(self, kind: str, content: bytes) -> ReadFile | Failed:
        size, digest = len(content), hashlib.sha256(content).hexdigest()
        if not is_of(kind, content):
            return ReadFile(AttachmentOutcome.MISMATCHED, kind, size, digest)
        found = await self._parsed(kind, content)
        if isinstance(found, Failed):
            return found if found.retryable else ReadFile(outcome_of(found), kind, size, digest)
        text, tainted = found.value
        kept, cut = text[:LONGEST], len(text) > LONGEST
        return ReadFile(AttachmentOutcome.READ, kind, size, digest, kept, tainted=tainted, cut=cut)

    async def _parsed(self, kind: str, content: bytes) -> Ok[tuple[str, bool]] | Failed:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._judged, kind, content)

    def _judged(self, kind: str, content: bytes) -> Ok[tuple[str, bool]] | Failed:
        parsed = self._parser.parse(kind, "attachment", content)
        if isinstance(parsed, Failed):
            return parsed
        text = "\n\n".join(part for one in parsed.value for part in (one.title, one.body) if part.strip()).strip()
        return Ok((text[: LONGEST + 1], is_tainted(text[:LONGEST])))


def outcome_of(failed: Failed) -> AttachmentOutcome:
    """What a failure of the client or the parser means for the file."""
    return _TELLS.get(failed.code, AttachmentOutcome.BROKEN)

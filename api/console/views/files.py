"""What customers' files say, for a ticket's page: text alone, and where there is none, why; it opens no file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from approvals.item_lines import file_line
from approvals.wording import Badge, Tone
from db.repositories.attachments import MOST_FILES, ReadFile
from support_agents.domain.ticket import Attachment, AttachmentOutcome

_WHY: Mapping[AttachmentOutcome, str] = {
    AttachmentOutcome.READ: "",
    AttachmentOutcome.PICTURE: "not read: pictures are not looked at",
    AttachmentOutcome.OTHER_KIND: "not read: only PDF, DOCX, TXT, HTML and CSV are",
    AttachmentOutcome.REFUSED: "not read: its address is not one that may be asked",
    AttachmentOutcome.UNREACHABLE: "not read: the server did not answer",
    AttachmentOutcome.NOT_GIVEN: "not read: the server did not give it out, or pointed elsewhere",
    AttachmentOutcome.TOO_LARGE: "not read: it is too large",
    AttachmentOutcome.MISMATCHED: "not read: it is not what its name says",
    AttachmentOutcome.LOCKED: "not read: it is locked by a password",
    AttachmentOutcome.TOO_COSTLY: "not read: it takes more time or memory than a file may",
    AttachmentOutcome.EMPTY: "not read: it holds no text",
    AttachmentOutcome.BROKEN: "not read: it is broken",
}
_BEYOND = f"not read: only the first {MOST_FILES} files of a message are"
_FORGOTTEN = "its text was read and is no longer kept"


@dataclass(frozen=True)
class FileShown:
    """One file of a message; `note` is empty where the text stands there or nobody has tried to read it yet."""

    line: str
    note: str = ""
    text: str = ""
    cut: bool = False
    badges: tuple[Badge, ...] = ()


def shown_files(attachments: tuple[Attachment, ...], read: Mapping[int, ReadFile]) -> tuple[FileShown, ...]:
    """Put what is known beside each file; `read` is by position, and empty where files are not read."""
    return tuple(_shown(attachments, read))


def _shown(attachments: tuple[Attachment, ...], read: Mapping[int, ReadFile]) -> Iterator[FileShown]:
    for at, attachment in enumerate(attachments):
        line, file = file_line(attachment), read.get(at)
        if file is None:
            yield FileShown(line, note=_BEYOND if read and at >= MOST_FILES else "")
        elif file.forgotten and file.outcome is AttachmentOutcome.READ:
            yield FileShown(line, note=_FORGOTTEN)
        else:
            badges = (Badge("tries to instruct the software", Tone.CARE),) if file.tainted else ()
            yield FileShown(line, note=_WHY[file.outcome], text=file.text, cut=file.cut, badges=badges)

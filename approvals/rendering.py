"""Text from outside made fit to be sent: HTML of a reply, one-line subjects, strict addresses; it decides nothing."""

import html
import unicodedata
from email.headerregistry import Address

import re2

ADDRESS_LIMIT = 254
SUBJECT_LIMIT = 200
_ADDR_SPEC = re2.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_MESSAGE_ID = re2.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\[\]:-]+>")
MESSAGE_ID_LIMIT = 300


def is_addr_spec(address: str) -> bool:
    """Whether this is exactly one bare ASCII address: no name, no list, no comment, no quoted or literal part."""
    if len(address) > ADDRESS_LIMIT or not _ADDR_SPEC.fullmatch(address):
        return False
    local = address.rpartition("@")[0]
    return len(local) <= 64 and Address(addr_spec=address).addr_spec == address  # noqa: PLR2004 - RFC 5321 4.5.3.1.1


def is_message_id(value: str) -> bool:
    """Whether this is exactly one Message-ID, safe to stand in a header."""
    return len(value) <= MESSAGE_ID_LIMIT and bool(_MESSAGE_ID.fullmatch(value))


def one_line(text: str, limit: int = SUBJECT_LIMIT) -> str:
    """Collapse white space and drop control, format and surrogate characters."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(kept.split())[:limit].rstrip()


def subject_of_reply(subject: str) -> str:
    """Return the subject with exactly one `Re: ` before it; nothing in it is an encoded word, which mailers decode."""
    bare = one_line(subject).replace("=?", "= ?")
    while bare[:3].casefold() == "re:":
        bare = bare[3:].lstrip()
    return f"Re: {bare}" if bare else "Re: your message"


def plain(text: str) -> str:
    """Return the text with line ends as LF and without control characters."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return "".join(c for c in unified if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})


def as_html(text: str) -> str:
    """Return the text as HTML paragraphs; everything in it is escaped."""
    paragraphs = [html.escape(part.strip("\n")) for part in plain(text).split("\n\n") if part.strip()]
    return "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)

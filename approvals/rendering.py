"""Text from outside made fit to be sent: HTML of a reply, one-line subjects, strict addresses; it decides nothing."""

import unicodedata
from email.headerregistry import Address

import nh3
import re2
from markdown_it import MarkdownIt

ADDRESS_LIMIT = 254
SUBJECT_LIMIT = 200
_ADDR_SPEC = re2.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_MESSAGE_ID = re2.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\[\]:-]+>")
MESSAGE_ID_LIMIT = 300
# What letters are made of. No HTML, no images, and nothing that a plain sentence becomes by accident: a heading from an
# underlined line, code from an indented one, a rule from dashes.
_LETTERS = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(
    ["image", "html_block", "html_inline", "heading", "lheading", "hr", "code", "fence", "reference", "blockquote"]
)
_TAGS = {"p", "br", "em", "strong", "a", "ul", "ol", "li", "code"}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}


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
    """Return the text, read as Markdown, as HTML of a few harmless tags; HTML in it is text."""
    made = _LETTERS.render(plain(text))
    return nh3.clean(
        made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"https", "http", "mailto"}, link_rel="noopener nofollow"
    ).strip()

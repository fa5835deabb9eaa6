"""Identifiers with a shape or a checksum: e-mail, link, IP address, IBAN, card; a shape alone is never a card."""

import ipaddress
from collections.abc import Iterator

from support_agents import linear

Span = tuple[int, int]


_EMAIL = linear.compile(r"[\p{L}\p{N}._%+'-]+@(?:[\p{L}\p{N}-]+\.)+\p{L}\p{L}+")
_URL = linear.compile(r"(?i)\b(?:https?://|www\.)[^\s<>\"'`|\\^{}\[\]]+")
_URL_TAIL = ".,;:!?)*_"
_PARTS = linear.compile(r"(?s)(?:[A-Za-z][A-Za-z0-9+.\-]*://)?([^/?#\[\]]*)([^?#\[\]]*)(?:\?([^#]*))?(?:#(.*))?")
_TOKEN = linear.compile(r"[A-Za-z0-9_-]{20,}")
_IPV4 = linear.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_IPV6 = linear.compile(r"(?i)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}")
_VERSION_BEFORE = linear.compile(r"(?i)(?:\bv|version|release|firmware|build|ver\.?)\s*$")
_IBAN = linear.compile(r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}\b")
_IBAN_LENGTHS = range(15, 35)
_CARD = linear.compile(r"[0-9](?:[ -]?[0-9]){11,18}")
_CARD_DIGITS = range(13, 20)
_SHORT_CARD_DIGITS = 12
_CARD_CUE = linear.compile(
    r"(?i)(?:\bcards?\b|\bcc\b|\bkarte\b|kreditkarte|\bcarte\b|\btarjeta\b|\bcarta\b|\bcartão\b|kaart\b|\bkart[aęy]\b)"
)
_CUE_REACH = 40


def emails(text: str) -> Iterator[Span]:
    """Find e-mail addresses, international ones too."""
    for match in _EMAIL.finditer(text):
        yield match.start(), match.end()


def urls(text: str) -> Iterator[Span]:
    """Find links with a scheme or `www.`, without the punctuation of the sentence around them."""
    for match in _URL.finditer(text):
        end = match.start() + len(match.group().rstrip(_URL_TAIL))
        if "." in text[match.start() : end]:
            yield match.start(), end


def reveals(url: str) -> bool:
    """Whether a link carries more than a place to look: a query, a fragment, credentials or a long token."""
    match = _PARTS.fullmatch(url)
    if match is None:
        return True  # not a link that anybody could need
    authority, path, query, fragment = (part or "" for part in match.groups())
    return bool(query or "@" in authority or "=" in fragment or _TOKEN.search(path))


def ip_addresses(text: str) -> Iterator[Span]:
    """Find IPv4 and IPv6 addresses; a version number of four parts is none."""
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            start, end = match.start(), match.end()
            inside = (_glued(text[start - 1 : start]), _glued(text[end : end + 1]))
            if not any(inside) and _is_address(match.group()) and not _VERSION_BEFORE.search(text[:start][-12:]):
                yield start, end


def ibans(text: str) -> Iterator[Span]:
    """Find the longest valid IBAN from each start: words that follow it may look like a part of it."""
    for match in _IBAN.finditer(text):
        for end in range(match.end(), match.start() + min(_IBAN_LENGTHS) - 1, -1):
            if _is_iban(text[match.start() : end]):
                yield match.start(), end
                break


def cards(text: str) -> Iterator[Span]:
    """Find card numbers that pass Luhn; the rare ones of twelve digits only where a card is spoken of."""
    for match in _CARD.finditer(text):
        start, end = match.start(), match.end()
        if _glued(text[start - 1 : start]) or text[start - 1 : start] == "+" or _glued(text[end : end + 1]):
            continue
        found = digits(match.group())
        spoken_of = len(found) == _SHORT_CARD_DIGITS and _CARD_CUE.search(text[max(0, start - _CUE_REACH) : start])
        if (len(found) in _CARD_DIGITS or spoken_of) and passes_luhn(found):
            yield start, end


def digits(text: str) -> str:
    """Return the digits of `text` alone."""
    return "".join(filter(str.isdigit, text))


def passes_luhn(number: str) -> bool:
    """Whether a string of digits has the check digit of card numbers; one digit repeated has not."""
    doubled = (2 * int(digit) for digit in number[-2::-2])
    total = sum(map(int, number[-1::-2])) + sum(value - 9 if value > 9 else value for value in doubled)  # noqa: PLR2004
    return total % 10 == 0 and len(set(number)) > 1


def _glued(character: str) -> bool:
    return character.isalnum() or character == "_"


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not address.is_unspecified and (address.version == 4 or sum(map(str.isalnum, text)) > 3)  # noqa: PLR2004


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "").replace("-", "").upper()
    if len(compact) not in _IBAN_LENGTHS or not text[-1].isalnum():
        return False
    number = "".join(str(int(character, 36)) for character in compact[4:] + compact[:4])
    return int(number) % 97 == 1

"""Personal identifiers out of a text before it leaves for an external model, and back in; it keeps nothing itself."""

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
import re2


class PiiKind(StrEnum):
    """What a placeholder stands for."""

    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    PHONE = "PHONE"


@dataclass(frozen=True)
class Masked:
    """A text with placeholders, and what each stands for."""

    text: str
    restore: Mapping[str, str]


def mask(text: str, run_salt: bytes) -> Masked:
    """Replace e-mail addresses, IBANs, card and phone numbers; one value has one placeholder within `run_salt`.

    The salt is random and new for each run, so that nobody can write a placeholder or compare two runs.
    """
    restore: dict[str, str] = {}
    parts: list[str] = []
    at = 0
    for start, end, kind in _spans(text):
        placeholder = _placeholder(kind, text[start:end], run_salt)
        restore.setdefault(placeholder, text[start:end])
        parts += [text[at:start], placeholder]
        at = end
    return Masked("".join([*parts, text[at:]]), restore)


def unmask(text: str, restore: Mapping[str, str], *, only: Collection[str]) -> str:
    """Put back those values that are in `only`: the ticket's own customer's; other placeholders stay."""
    for placeholder, value in restore.items():
        if value in only:
            text = text.replace(placeholder, value)
    return text


_EMAIL = re2.compile(r"[\p{L}\p{N}._%+'-]+@(?:[\p{L}\p{N}-]+\.)+\p{L}\p{L}+")
_IBAN = re2.compile(r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}\b")
_DIGITS = re2.compile(r"(?:\+|\b00|\()?[0-9](?:[ \t.()/-]{0,3}[0-9]){6,22}(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6})?")
_DATE = re2.compile(
    r"^(?:[12][0-9]{3}[./-][0-9]{1,2}[./-][0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][12][0-9]{3})(?:[ T].*)?$"
)
_AMOUNT = re2.compile(r"^[0-9]{1,3}(?:[.,][0-9]{3})+$")
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AU")
_CARD_DIGITS = range(13, 20)
_PLAIN_PHONE_DIGITS = 10
_JOINS = ("-", "_", "#", "/")
_IBAN_LENGTHS = range(15, 35)
_MARK_BYTES = 4


def _spans(text: str) -> list[tuple[int, int, PiiKind]]:
    """List what is found in order; where finds overlap the earlier kind of this list of finders wins."""
    finders: tuple[tuple[PiiKind, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
        (PiiKind.EMAIL, _emails),
        (PiiKind.IBAN, _ibans),
        (PiiKind.CARD, _cards),
        (PiiKind.PHONE, _phones),
    )
    taken: list[tuple[int, int, PiiKind]] = []
    for kind, finder in finders:
        for start, end in finder(text):
            if all(end <= other_start or start >= other_end for other_start, other_end, _ in taken):
                taken.append((start, end, kind))
    return sorted(taken)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        yield match.start(), match.end()


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    """Find the longest valid IBAN from each start: words that follow it may look like a part of it."""
    for match in _IBAN.finditer(text):
        for end in range(match.end(), match.start() + min(_IBAN_LENGTHS) - 1, -1):
            if _is_iban(text[match.start() : end]):
                yield match.start(), end
                break


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "").replace("-", "").upper()
    if len(compact) not in _IBAN_LENGTHS or not text[-1].isalnum():
        return False
    digits = "".join(str(int(character, 36)) for character in compact[4:] + compact[:4])
    return int(digits) % 97 == 1


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _DIGITS.finditer(text):
        digits = _digits(match.group())
        if len(digits) in _CARD_DIGITS and not match.group().startswith("+") and _passes_luhn(digits):
            yield match.start(), match.end()


def _passes_luhn(digits: str) -> bool:
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    total = sum(map(int, digits[-1::-2])) + sum(value - 9 if value > 9 else value for value in doubled)  # noqa: PLR2004
    return total % 10 == 0 and len(set(digits)) > 1


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for match in _DIGITS.finditer(text):
        before = text[max(0, match.start() - 1) : match.start()]
        is_part_of_a_name = before.isalnum() or before in _JOINS  # ORD-2024-00017, #1002345
        if not is_part_of_a_name and _is_phone(match.group().strip()):
            yield match.start(), match.end()


def _is_phone(found: str) -> bool:
    """Whether a run of digits is a phone number; a bare run must look like one, for it may as well be an order's."""
    if _DATE.search(found) or _AMOUNT.search(found):
        return False
    number = f"+{found[2:]}" if found.startswith("00") else found
    if number.startswith("+"):
        return _parsed(number, None, phonenumbers.is_possible_number)
    if found.isdigit():
        looks_national = found.startswith("0") and len(found) >= _PLAIN_PHONE_DIGITS
        looks_american = len(found) == _PLAIN_PHONE_DIGITS and _parsed(found, "US", phonenumbers.is_valid_number)
        return looks_american or (looks_national and _any_region(found))
    return _any_region(found)


def _any_region(number: str) -> bool:
    return any(_parsed(number, region, phonenumbers.is_possible_number) for region in _REGIONS)


def _parsed(number: str, region: str | None, accepts: Callable[[phonenumbers.PhoneNumber], bool]) -> bool:
    try:
        return accepts(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _placeholder(kind: PiiKind, value: str, salt: bytes) -> str:
    normal = "".join(value.casefold().split())
    mark = hmac.new(salt, f"{kind}\0{normal}".encode(), hashlib.sha256).hexdigest()[: 2 * _MARK_BYTES]
    return f"[{kind}_{mark.upper()}]"

"""Phone numbers among the other runs of digits; an order's number, a date or an amount is none."""

from collections.abc import Callable, Iterator

import phonenumbers

from support_agents import linear
from support_agents.screening.identifiers import Span

_DIGITS = linear.compile(r"(?:\+|\b00|\()?[0-9](?:[ \t.()/-]{0,3}[0-9]){5,22}(?:[ ]?(?:x|ext\.?)[ ]?[0-9]{1,6})?")
_DATE = linear.compile(
    r"^(?:[12][0-9]{3}[./-][0-9]{1,2}[./-][0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][12][0-9]{3})(?:[ T].*)?$"
)
_AMOUNT = linear.compile(r"^[0-9]{1,3}(?:[.,][0-9]{3})+$")
_YEARS = linear.compile(r"^(?:19|20)[0-9]{2}[ /-]{1,3}(?:19|20)[0-9]{2}$")
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AU", "PL", "PT", "DK", "CH")
_JOINS = ("-", "_", "#", "/", ".", "'")
_LABEL_JOINS = ("-", ".")
_BARE_DIGITS, _TOLD_DIGITS = 10, 9
_FEW_GROUPS = 3
_FEWEST_DIGITS, _FEWEST_UNTOLD = 6, 7
# What tells that a number is dialled, right before it or right behind it, in the languages most tickets come in.
_TOLD_BEFORE = linear.compile(
    r"(?i)(?:\b(?:phone|tel|telephone|mobile|cell|call|dial|ring|text|fax|whatsapp|desk|office|reach|contact|number"
    r"|handy|telefon\w*|anrufen|rufnummer|rufen|téléphone|portable|appele[rz]|móvil|celular|teléfono|llam\w+|cellulare"
    r"|telefono|chiama\w*|telefone|telemóvel|ligu?e\w*|telefoon|mobiel|bel|komórk\w*|zadzwo\w*|numer)\b|☎|📞)"
    r"[^0-9]{0,25}$"
)
_TOLD_BEHIND = linear.compile(r"(?i)^[ ,(-]{0,3}(?:office|fax|mobile|cell|home|work|desk|phone|handy|mobil)\b")
_STREET_BEHIND = linear.compile(r"^(?:st|nd|rd|th)?,?[ ]+(?:\p{L}{2,}|\p{Lu}\.)")


def phones(text: str) -> Iterator[Span]:
    """Find phone numbers of any country with `+`, and of the common ones without; a bare number needs a sign."""
    for match in _DIGITS.finditer(text):
        start, end = match.start(), match.end()
        before, after = text[max(0, start - 40) : start], text[end : end + 20]
        told = bool(_TOLD_BEFORE.search(before) or _TOLD_BEHIND.search(after))
        found = match.group().strip()
        if _is_part_of_a_name(before[-1:], after[:1], told=told):
            continue
        if (told or not _is_of_an_address(found, after)) and _is_phone(found, told=told):
            yield start, end


def _is_part_of_a_name(before: str, after: str, *, told: bool) -> bool:
    """Whether it goes on before or behind: ORD-2024-00017, #1002345; `Fax-0341…` is a way to write a label."""
    joined = before in _JOINS and not (told and before in _LABEL_JOINS)
    return before.isalnum() or (bool(before) and joined) or after.isalpha()


def _is_of_an_address(found: str, after: str) -> bool:
    """Whether a street's name follows a few bare groups, as in `722 20 40 rue Victor Hugo`."""
    return (
        not found.startswith(("+", "(", "00"))
        and bool(_STREET_BEHIND.search(after))
        and len(found.split()) <= _FEW_GROUPS
    )


def _is_phone(found: str, *, told: bool) -> bool:
    """Whether a run of digits is a phone number; a bare run must look like one, for it may as well be an order's."""
    count = sum(map(str.isdigit, found))
    if _DATE.search(found) or _AMOUNT.search(found) or _YEARS.search(found) or count < _FEWEST_DIGITS:
        return False
    number = f"+{found[2:]}" if found.startswith("00") else found
    if number.startswith("+"):
        return _parsed(number, None, phonenumbers.is_possible_number)
    if told:
        return not found.isdigit() or count >= _TOLD_DIGITS or _any_region(found)
    if count < _FEWEST_UNTOLD:
        return False
    if found.isdigit():
        looks_national = found.startswith("0") and count >= _BARE_DIGITS
        looks_american = count == _BARE_DIGITS and _parsed(found, "US", phonenumbers.is_valid_number)
        return looks_american or (looks_national and _any_region(found))
    return _any_region(found)


def _any_region(number: str) -> bool:
    return any(_parsed(number, region, phonenumbers.is_possible_number) for region in _REGIONS)


def _parsed(number: str, region: str | None, accepts: Callable[[phonenumbers.PhoneNumber], bool]) -> bool:
    try:
        return accepts(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False

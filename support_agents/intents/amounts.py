"""Finds amounts of money in a message; it never decides what is paid: that comes from the order system."""

from collections.abc import Iterator
from decimal import Decimal

from support_agents import linear
from support_agents.domain.intent import Entity, EntityKind
from support_agents.domain.money import exponent

_CURRENCIES = {
    **dict.fromkeys(("€", "eur", "euro", "euros", "euró"), "EUR"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds", "quid", "pfund", "libras"), "GBP"),
    **dict.fromkeys(("$", "us$", "usd", "dollar", "dollars", "bucks", "dólares", "dollari"), "USD"),
    **dict.fromkeys(("zł", "zl", "pln", "złotych", "złote"), "PLN"),
    **dict.fromkeys(("chf", "fr.", "franken", "sfr."), "CHF"),
    **dict.fromkeys(("¥", "jpy", "yen"), "JPY"),
    **dict.fromkeys(("cad", "ca$", "c$"), "CAD"),
    **dict.fromkeys(("aud", "a$", "au$"), "AUD"),
    **{code: code.upper() for code in ("sek", "nok", "dkk", "czk", "huf", "ron", "nzd", "brl", "inr")},
}
_NUMBER = r"\d{1,3}(?:[.,'\x{2019} \x{a0}\x{202f}]\d{3})+(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?"
_BEFORE = r"us\$|ca\$|au?\$|c\$|[€£$¥]|eur|gbp|usd|chf|pln|jpy|cad|aud|sek|nok|dkk|czk|huf|ron|nzd|brl|inr|s?fr\."
_AFTER = (
    r"us\$|[€£$¥]|euros?|euró|eur|pounds?|gbp|quid|pfund|libras|dollars?|dollari|dólares|usd|bucks|zł|złotych|złote"
    r"|zl|pln|chf|franken|yen|jpy|cad|aud|sek|nok|dkk|czk|huf|ron|nzd|brl|inr"
)
_AMOUNT = linear.compile(
    rf"(?i)(?P<before>{_BEFORE})[ \x{{a0}}\x{{202f}}]?(?P<first>{_NUMBER})"
    rf"|(?P<second>{_NUMBER})(?:,[-\x{{2013}}])?[ \x{{a0}}\x{{202f}}]?(?P<after>{_AFTER})"
)


def find_amounts(text: str) -> Iterator[Entity]:
    """Yield amounts in order of appearance, as `4990 EUR`: minor units and ISO 4217 code."""
    for match in _AMOUNT.finditer(text):
        start, end = match.span()
        if _joined(text, start, end):
            continue
        currency = _CURRENCIES[(match.group("before") or match.group("after")).lower()]
        minor = _minor(match.group("first") or match.group("second"), currency)
        yield Entity(kind=EntityKind.AMOUNT, value=f"{minor} {currency}", start=start, end=end)


def _joined(text: str, start: int, end: int) -> bool:
    """Whether the match is only a part of a longer word or number."""
    before, after = text[start - 1 : start], text[end : end + 1]
    first, last = text[start], text[end - 1]
    glued_left = before.isalnum() and first.isalnum() and not (before.isalpha() and first.isdigit())
    decimals_left = first.isdigit() and before in {".", ","} and text[start - 2 : start - 1].isdigit()
    glued_right = after.isalnum() and last.isalnum()
    return glued_left or decimals_left or glued_right


def _minor(number: str, currency: str) -> int:
    """Return the number in minor units: one or two digits after the last separator are decimals, three are a group."""
    places = exponent(currency)
    cut = max(number.rfind("."), number.rfind(","))
    decimals = number[cut + 1 :] if cut >= 0 and len(number) - cut <= len(",99") else ""
    whole = "".join(c for c in (number[:cut] if decimals else number) if c.isdigit())
    value = Decimal(f"{whole}.{decimals or 0}") * 10**places
    return int(value.to_integral_value())

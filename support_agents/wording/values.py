"""Checkable values in prose – numbers, dates, amounts, percentages, addresses – in one normal form; judges nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache

from support_agents import linear
from support_agents.wording.dates import DATE_PATTERN, read_date


class ValueKind(StrEnum):
    """What a value is; values of different kinds never confirm one another."""

    URL = "url"
    EMAIL = "email"
    DATE = "date"
    AMOUNT = "amount"
    PERCENT = "percent"
    TIME = "time"
    PHONE = "phone"
    CODE = "code"
    NUMBER = "number"


@dataclass(frozen=True)
class Value:
    """A value as written, with every normal form it can have (`1.234` is 1234 or 1.234)."""

    kind: ValueKind
    text: str
    keys: frozenset[str]
    start: int = 0


_CURRENCY = r"(?:€|£|\$|EUR|GBP|USD|CHF|[Ee]uros?|[Pp]ounds?|[Dd]ollars?|[Ll]ivres?|[Ll]ibras?)"
_PATTERN = linear.compile(
    r"(?i:(?P<url>https?://[^\s<>\"“”]+|www\.[^\s<>\"“”]+)"
    r"|(?P<email>[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+)"
    rf"|{DATE_PATTERN})"
    rf"|(?P<amount>{_CURRENCY}\s?(?:\d[\d.,]*\d|\d)|\b(?:\d[\d.,]*\d|\d)[\s ]?{_CURRENCY}(?:\b|\s|$|[.,;:!?)]))"
    r"|(?P<percent>\b(?:\d[\d.,]*\d|\d)[\s ]?(?:%|percent\b|per cent\b|Prozent\b|por ciento\b|pour cent\b))"
    r"|(?P<time>\b\d{1,2}:\d{2}\b|\b\d{1,2} ?[ap]m\b)"
    r"|(?P<phone>\+\d[\d \-/()]{6,18}\d|\b0\d[\d \-/]{6,14}\d)"
    r"|(?P<code>#?\b[A-Za-z0-9]*(?:[A-Za-z]-?\d|\d[A-Za-z])[A-Za-z0-9\-]*\b)"
    r"|(?P<number>\d[\d.,]*\d|\d)"
)
_CURRENCY_CODES = {"€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "$": "USD", "usd": "USD", "chf": "CHF"}
_CURRENCY_STEMS = {"euro": "EUR", "pound": "GBP", "livre": "GBP", "libra": "GBP", "dollar": "USD"}
_DIGITS = linear.compile(r"\d[\d.,]*\d|\d")
_GROUP = 3
_TRAILING = ".,;:!?)]'’»"

_NUMBER_WORDS = {
    "en": "two three four five six seven eight nine ten eleven twelve",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze",
}
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100,
    "fourteen": 14, "fifteen": 15, "zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60,
    "vierzehn": 14, "hundert": 100, "veinte": 20, "treinta": 30, "cuarenta": 40, "sesenta": 60, "catorce": 14,
    "cien": 100, "vingt": 20, "trente": 30, "quarante": 40, "soixante": 60, "quatorze": 14, "cent": 100,
}  # fmt: skip
_WORD_VALUES = {
    **{word: n for words in _NUMBER_WORDS.values() for n, word in enumerate(words.split(), start=2)},
    **_TENS,
}
_WORD = linear.compile(r"\pL+")
# French "dix" and Spanish "once" are words of other languages too; only a digit there is worth a check.
_AMBIGUOUS = frozenset({"once", "six", "cent", "dos", "elf"})


@lru_cache(maxsize=2_048)
def values_in(text: str) -> tuple[Value, ...]:
    """Return every value in reading order; number words from two upwards count as numbers.

    Kept for a while: several checks ask about one sentence, and many runs about one quote.
    """
    found, spans = [], []
    for match in _PATTERN.finditer(text):
        value = _value(match)
        if value is not None:
            found.append(value)
            spans.append(match.span())
    words = [
        Value(ValueKind.NUMBER, m.group(0), frozenset({str(_WORD_VALUES[m.group(0).lower()])}), m.start())
        for m in _WORD.finditer(text)
        if m.group(0).lower() in _WORD_VALUES and not any(a <= m.start() < b for a, b in spans)
    ]
    sure = [word for word in words if word.text.lower() not in _AMBIGUOUS]
    return tuple(sorted((*found, *sure), key=lambda value: value.start))


def _value(match: linear.Found) -> Value | None:
    group = next(name for name, text in match.groupdict().items() if text is not None)
    kind, read = _READERS[group]
    text = match.group(0).strip().rstrip(_TRAILING)
    keys = read(text)
    return Value(kind, text, keys, match.start()) if keys else None


def number_word(word: str) -> str:
    """Return the value of a number word from two upwards (`thirty` is `30`); empty for any other word."""
    plain = word.lower()
    return str(_WORD_VALUES[plain]) if plain in _WORD_VALUES and plain not in _AMBIGUOUS - {"six"} else ""


def decimals(text: str) -> frozenset[str]:
    """Return the normal forms of the first number in `text`: `1.234` has two, `3,95` and `3.95` the same one."""
    match = _DIGITS.search(text)
    if match is None:
        return frozenset()
    digits = match.group(0)
    marks = [c for c in digits if c in ".,"]
    plain = digits.replace(".", "").replace(",", "")
    readings = []
    if len(set(marks)) == 1 and len(digits.rsplit(marks[0], 1)[1]) == _GROUP:
        grouped = len(marks) > 1 or digits.endswith("000")
        readings = [plain] if grouped else [plain, digits.replace(",", ".")]
    elif marks:
        whole, fraction = digits.rsplit(marks[-1], 1)
        readings = [whole.replace(".", "").replace(",", "") + "." + fraction]
    else:
        readings = [plain]
    return frozenset(_canonical(reading) for reading in readings)


def _canonical(number: str) -> str:
    try:
        value = Decimal(number)
        return str(value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize())
    except InvalidOperation:
        return number


def _amount(text: str) -> frozenset[str]:
    lowered = text.lower()
    code = next((c for sign, c in _CURRENCY_CODES.items() if sign in lowered and sign != "eur"), None)
    code = code or next((c for stem, c in _CURRENCY_STEMS.items() if stem in lowered), "EUR")
    return frozenset(f"{code} {number}" for number in decimals(text))


def _date(text: str) -> frozenset[str]:
    found = read_date(text)
    if found is None:
        return frozenset()
    return frozenset({f"{found.month:02}-{found.day:02}" + (f" {found.year}" if found.year else "")})


def _digits(text: str) -> frozenset[str]:
    return frozenset({"+" + "".join(c for c in text if c.isdigit())})


def _time(text: str) -> frozenset[str]:
    return frozenset({text.lower().replace(" ", "").lstrip("0")})


def _literal(text: str) -> frozenset[str]:
    return frozenset({text.strip("#").lower()})


_READERS: dict[str, tuple[ValueKind, Callable[[str], frozenset[str]]]] = {
    "url": (ValueKind.URL, _literal),
    "email": (ValueKind.EMAIL, _literal),
    "iso": (ValueKind.DATE, _date),
    "numeric": (ValueKind.DATE, _date),
    "dayfirst": (ValueKind.DATE, _date),
    "monthfirst": (ValueKind.DATE, _date),
    "amount": (ValueKind.AMOUNT, _amount),
    "percent": (ValueKind.PERCENT, decimals),
    "time": (ValueKind.TIME, _time),
    "phone": (ValueKind.PHONE, _digits),
    "code": (ValueKind.CODE, _literal),
    "number": (ValueKind.NUMBER, decimals),
}


def unconfirmed(stated: Iterable[Value], support: Iterable[Value]) -> tuple[Value, ...]:
    """Return the stated values that no value of the support confirms."""
    known = tuple(support)
    return tuple(value for value in stated if not any(_confirms(other, value) for other in known))


def _confirms(support: Value, stated: Value) -> bool:
    if support.kind is not stated.kind:
        return False
    if support.kind is ValueKind.DATE:
        return any(_same_day(a, b) for a in support.keys for b in stated.keys)
    return bool(support.keys & stated.keys)


def _same_day(support: str, stated: str) -> bool:
    """A year may be left out, never added or changed."""
    return support == stated or support.startswith(f"{stated} ")

"""Dates in prose: finds them in the usual notations of eight languages and writes them; it guesses no missing year."""

from dataclasses import dataclass
from datetime import date

from support_agents import linear

MONTHS: dict[str, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
}
_SHORT = "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mär Okt Dez ene abr ago dic janv févr avr juil déc"
_SHORT_NUMBERS = (1, 2, 3, 4, 6, 7, 8, 9, 9, 10, 11, 12, 3, 10, 12, 1, 4, 8, 12, 1, 2, 4, 7, 12)
_PATTERNS = {"de": "{day}. {month}", "es": "{day} de {month}", "pt": "{day} de {month}", "en": "{day} {month}"}
_YEAR_JOIN = {"es": " de ", "pt": " de "}

_NUMBER_OF = {
    **dict(zip(_SHORT.lower().split(), _SHORT_NUMBERS, strict=True)),
    **{name.lower(): n for names in MONTHS.values() for n, name in enumerate(names.split(), start=1)},
}
_NAMES = "|".join(sorted(_NUMBER_OF, key=len, reverse=True))
DATE_PATTERN = (
    r"(?P<iso>\b\d{4}-\d{2}-\d{2}\b)"
    r"|(?P<numeric>\b\d{1,2}[./]\d{1,2}[./]\d{4}\b)"
    rf"|(?P<dayfirst>\b\d{{1,2}}(?:st|nd|rd|th|er|º)?\.?\s(?:of\s|de\s)?(?:{_NAMES})\b\.?(?:,?\s(?:de\s)?\d{{4}}\b)?)"
    rf"|(?P<monthfirst>\b(?:{_NAMES})\.?\s\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s\d{{4}}\b)?)"
)
_NUMBERS = linear.compile(r"\d+")
_WORDS = linear.compile(rf"(?i)(?:{_NAMES})")
_YEAR_DIGITS = 4


@dataclass(frozen=True)
class FoundDate:
    """A date as written: `year` is None where the text gives none."""

    year: int | None
    month: int
    day: int

    def matches(self, other: "FoundDate") -> bool:
        """Whether both can be the same day; a missing year fits any."""
        same_year = self.year is None or other.year is None or self.year == other.year
        return same_year and (self.month, self.day) == (other.month, other.day)

    @classmethod
    def of(cls, day: date) -> "FoundDate":
        """The day with its year."""
        return cls(day.year, day.month, day.day)


def read_date(text: str) -> FoundDate | None:
    """Read one date that `DATE_PATTERN` matched; None when it is no day of the calendar."""
    numbers = [int(n) for n in _NUMBERS.findall(text)]
    word = _WORDS.search(text)
    if word:
        year = next((n for n in numbers if n >= 10 ** (_YEAR_DIGITS - 1)), None)
        day = next((n for n in numbers if n < 10 ** (_YEAR_DIGITS - 1)), 0)
        return _checked(year, _NUMBER_OF[word.group(0).lower()], day)
    if "-" in text:
        return _checked(*numbers)
    day, month, year = numbers
    return _checked(year, month, day)


def _checked(year: int | None, month: int, day: int) -> FoundDate | None:
    try:
        date(year or 2024, month, day)  # 2024 has a 29 February
    except ValueError:
        return None
    return FoundDate(year, month, day)


def write_date(day: date, language: str, *, today: date) -> str:
    """Write `day` as people do in `language`; the year only where it is not this year's."""
    pattern, months = _PATTERNS.get(language, _PATTERNS["en"]), MONTHS.get(language, MONTHS["en"]).split()
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    text = pattern.format(day=number, month=months[day.month - 1])
    return text if day.year == today.year else f"{text}{_YEAR_JOIN.get(language, ' ')}{day.year}"

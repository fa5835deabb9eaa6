"""Finds calendar dates in a message, in seven languages, and resolves relative ones against today."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from support_agents import linear
from support_agents.domain.intent import Entity, EntityKind

_Groups = tuple[str, ...]  # a match's groups, "" for one that took no part
_YEARS = range(1990, 2100)

_MONTHS = (
    "january jan januar jänner janvier gennaio januari janeiro enero stycznia",
    "february feb februar février fevrier febbraio februari fevereiro febrero lutego",
    "march mar märz mars marzo maart março marca",
    "april apr avril aprile abril kwietnia",
    "may mai maggio mei maio mayo maja",
    "june jun juni juin giugno junho junio czerwca",
    "july jul juli juillet luglio julho julio lipca",
    "august aug août aout agosto augustus sierpnia",
    "september sep sept septembre settembre setembro septiembre września",
    "october oct oktober octobre ottobre outubro octubre października",
    "november nov novembre novembro noviembre listopada",
    "december dec dezember décembre decembre dicembre dezembro diciembre grudnia",
)
_MONTH = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
_WEEKDAYS = (
    "monday montag lunes lundi lunedì maandag segunda-feira poniedziałek",
    "tuesday dienstag martes mardi martedì dinsdag terça-feira wtorek",
    "wednesday mittwoch miércoles mercredi mercoledì woensdag quarta-feira środę",
    "thursday donnerstag jueves jeudi giovedì donderdag quinta-feira czwartek",
    "friday freitag viernes vendredi venerdì vrijdag sexta-feira piątek",
    "saturday samstag sonnabend sábado samedi sabato zaterdag sobotę",
    "sunday sonntag domingo dimanche domenica zondag niedzielę",
)
_WEEKDAY = {word: number for number, words in enumerate(_WEEKDAYS) for word in words.split()}
_DAYS_FROM_TODAY = {
    **dict.fromkeys(("the day before yesterday", "vorgestern", "anteayer", "avant-hier", "eergisteren"), -2),
    **dict.fromkeys(("yesterday", "gestern", "ayer", "hier", "ieri", "gisteren", "ontem", "wczoraj"), -1),
    **dict.fromkeys(("today", "heute", "hoy", "aujourd'hui", "oggi", "vandaag", "hoje", "dzisiaj", "dziś"), 0),
    **dict.fromkeys(("tomorrow", "demain", "domani", "amanhã", "jutro"), 1),
}
_COUNTS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(map(linear.escape, words), key=len, reverse=True))


_ISO = linear.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NUMERIC = linear.compile(r"(\d{1,2})([./-])(\d{1,2})([./-])(\d{4}|\d{2})")
_DAY_MONTH = linear.compile(
    rf"(?i)(\d{{1,2}})(?:\.|st|nd|rd|th|er|º|°)?\s(?:of\s|de\s|do\s)?({_any(_MONTH)})\.?(?:,?\s(?:de\s)?(\d{{4}}))?"
)
_MONTH_DAY = linear.compile(rf"(?i)({_any(_MONTH)})\.?\s(?:the\s)?(\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(\d{{4}}))?")
_RELATIVE = linear.compile(rf"(?i)({_any(_DAYS_FROM_TODAY)})")
_LAST = (
    r"last|this past|letzte[nr]?|vergangene[nr]?|vorige[nr]?|afgelopen|el pasado|na última|no último|w zesz[łl][yąa]"
    r"|w ostatni[ąa]?"
)
_WEEKDAY_BEFORE = linear.compile(
    rf"(?i)(?:{_LAST})\s({_any(_WEEKDAY)})|({_any(_WEEKDAY)})\s(?:pasado|dernier|scors[oa])"
)
_AGO = linear.compile(
    r"(?i)(\d{1,3}|a|one|two|three|four|five|six|seven|ten)\s(days?|weeks?)\sago|vor\s(\d{1,3})\s(tagen|wochen)"
    r"|hace\s(\d{1,3})\s(d[íi]as|semanas)|il y a\s(\d{1,3})\s(jours|semaines)|(\d{1,3})\s(giorni|settimane)\sfa"
    r"|(\d{1,3})\s(dagen|weken)\sgeleden|h[áa]\s(\d{1,3})\s(dias|semanas)|(\d{1,3})\s(dni|tygodni)\stemu"
)


# `hier` is a day in French alone.
LANGUAGES_WITH_OWN_DAYS = frozenset({"fr"})


def find_dates(text: str, today: date, *, language: str) -> Iterator[Entity]:
    """Yield dates as ISO text. Numeric ones are day first unless that is no date; a missing year is the nearest."""
    for pattern, resolve in _RESOLVERS:
        for match in pattern.finditer(text):
            start, end = match.span()
            found = None if _joined(text, start, end) else resolve(match.groups(default=""), today)
            if found and not (match.group().lower() == "hier" and language not in LANGUAGES_WITH_OWN_DAYS):
                yield Entity(kind=EntityKind.DATE, value=found.isoformat(), start=start, end=end)


def _joined(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start] if start else "", text[end : end + 2]
    number_goes_on = text[end - 1].isdigit() and after[:1] in {".", "/", "-"} and after[1:].isdigit()
    return before.isalnum() or after[:1].isalnum() or number_goes_on or (before in {"-", "/", "."} and start > 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None


def _iso(groups: _Groups, today: date) -> date | None:
    del today
    return _date(*map(int, groups))


def _numeric(groups: _Groups, today: date) -> date | None:
    first, separator, second, again, year = groups
    if separator != again:
        return None
    full = int(year) + (today.year // 100 * 100 if len(year) == len("26") else 0)
    return _date(full, int(second), int(first)) or _date(full, int(first), int(second))


def _named(day: str, month: str, year: str, today: date) -> date | None:
    number = _MONTH[month.lower()]
    if year:
        return _date(int(year), number, int(day))
    near = (_date(candidate, number, int(day)) for candidate in (today.year - 1, today.year, today.year + 1))
    return min((found for found in near if found), key=lambda found: abs((found - today).days), default=None)


def _day_month(groups: _Groups, today: date) -> date | None:
    day, month, year = groups
    return _named(day, month, year, today)


def _month_day(groups: _Groups, today: date) -> date | None:
    month, day, year = groups
    return _named(day, month, year, today)


def _relative(groups: _Groups, today: date) -> date:
    return today + timedelta(days=_DAYS_FROM_TODAY[groups[0].lower()])


def _weekday(groups: _Groups, today: date) -> date:
    wanted = _WEEKDAY["".join(groups).lower()]
    return today - timedelta(days=(today.weekday() - wanted) % 7 or 7)


def _ago(groups: _Groups, today: date) -> date:
    count, unit = (group.lower() for group in groups if group)
    days = 7 if unit.startswith(("w", "s", "ty")) else 1
    return today - timedelta(days=days * (_COUNTS.get(count) or int(count)))


_RESOLVERS: tuple[tuple[Any, Callable[[_Groups, date], date | None]], ...] = (
    (_ISO, _iso),
    (_NUMERIC, _numeric),
    (_DAY_MONTH, _day_month),
    (_MONTH_DAY, _month_day),
    (_RELATIVE, _relative),
    (_WEEKDAY_BEFORE, _weekday),
    (_AGO, _ago),
)

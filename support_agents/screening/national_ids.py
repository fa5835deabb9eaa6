"""Numbers that a state gives to a person, by their check digits, and licences by the words before them."""

from collections.abc import Callable, Iterator
from datetime import date

from support_agents import linear
from support_agents.screening.identifiers import Span, digits

_REACH = 60
_SSN = linear.compile(r"\b([0-9]{3})([- ])([0-9]{2})([- ])([0-9]{4})\b")
_LICENCE = linear.compile(
    r"(?i)\b(?:driver'?s?|driving|passport|führerschein\w*|reisepass\w*|permis de conduire|passeport"
    r"|licencia de conducir|pasaporte|patente|passaporto|rijbewijs\w*|paspoort\w*|carta de condução|passaporte"
    r"|prawo jazdy|paszport\w*)(?: (?:licen[cs]e|number|no\.?|nr\.?|id|is|ist|est|es|è|é)){0,4}[ :#]{1,3}"
    r"([A-Z0-9](?:[A-Z0-9]|-[A-Z0-9]){4,17})\b"
)
_SHORTEST_LICENCE_DIGITS = 4
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
# What a character counts on an odd place of a codice fiscale: digits like the first ten letters.
_ODD_LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"\1\0\5\7\x09\x0d\x0f\x11\x13\x15\2\4\x12\x14\x0b\3\6\x08\x0c\x0e\x10\x0a\x16\x19\x18\x17",
        strict=True,
    )
)
_SSN_AREAS_UNUSED = ("000", "666")
_DNI_LENGTH = 9


def national_ids(text: str) -> Iterator[Span]:
    """Find numbers of the US, GB, ES, IT, FR, DE, NL, PL, PT, BR and CH whose check digits are right.

    Those that any number of so many digits could be are taken only where a word names them.
    """
    for match in _SSN.finditer(text):
        if _is_ssn(match, told=_told(text, match.start(), _SSN_CUE)):
            yield match.start(), match.end()
    for pattern, accepts, cue in _NUMBERS:
        for match in pattern.finditer(text):
            compact = "".join(filter(str.isalnum, match.group())).upper()
            if accepts(compact) and (cue is None or _told(text, match.start(), cue)):
                yield match.start(), match.end()


def licences(text: str) -> Iterator[Span]:
    """Find driving licences and passports: they have no common check digit, so only behind their name."""
    for match in _LICENCE.finditer(text):
        if len(digits(match.group(1))) >= _SHORTEST_LICENCE_DIGITS:
            yield match.start(1), match.end(1)


def _is_ssn(match: linear.Found, *, told: bool) -> bool:
    """United States: no check digit, but areas, groups and serials that are never given; untold only with hyphens."""
    area, group, serial = match.group(1), match.group(3), match.group(5)
    if match.group(2) != match.group(4) or area in _SSN_AREAS_UNUSED or group == "00" or serial == "0000":
        return False
    return told or (match.group(2) == "-" and area < "900")


def _told(text: str, start: int, cue: linear.Pattern) -> bool:
    return cue.search(text[max(0, start - _REACH) : start]) is not None


def _is_dni(number: str) -> bool:
    """Spain: the letter is the number modulo 23; a foreigner's X, Y, Z counts 0, 1, 2."""
    first = number[0].translate(str.maketrans("XYZ", "012"))
    return len(number) == _DNI_LENGTH and _DNI_LETTERS[int(first + number[1:-1]) % 23] == number[-1]


def _is_codice_fiscale(number: str) -> bool:
    """Italy: odd and even places weigh differently, modulo 26."""
    odd = sum(_odd(character) for character in number[:15:2])
    even = sum(int(character) if character.isdigit() else ord(character) - 65 for character in number[1:15:2])
    return chr((odd + even) % 26 + 65) == number[15]


def _odd(character: str) -> int:
    return _ODD_LETTERS["ABCDEFGHIJ"[int(character)] if character.isdigit() else character]


def _is_nir(number: str) -> bool:
    """France: 97 minus the rest of the first thirteen digits; Corsica's 2A and 2B count as 19 and 18."""
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def _is_steuer_id(number: str) -> bool:
    """Germany: ISO 7064 mod 11, 10."""
    rest = 10
    for digit in number[:10]:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return (11 - rest) % 10 == int(number[10]) and number[0] != "0"


def _is_bsn(number: str) -> bool:
    """Netherlands: weights 9 to 2, and -1 for the last digit, modulo 11."""
    total = sum(int(digit) * weight for digit, weight in zip(number, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return total % 11 == 0 and len(set(number)) > 1


def _is_pesel(number: str) -> bool:
    """Poland: weights 1, 3, 7, 9, and a day of birth whose month tells the century."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:10], (1, 3, 7, 9) * 3, strict=False))
    month = int(number[2:4])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}.get(month // 20, 0)
    return (10 - total % 10) % 10 == int(number[10]) and _is_day(
        century + int(number[:2]), month % 20, int(number[4:6])
    )


def _is_nif(number: str) -> bool:
    """Portugal: weights 9 to 2, modulo 11."""
    rest = 11 - sum(int(digit) * (9 - place) for place, digit in enumerate(number[:8])) % 11
    return int(number[8]) == (0 if rest >= 10 else rest) and number[0] in "1235689"  # noqa: PLR2004


def _is_cpf(number: str) -> bool:
    """Brazil: two check digits, each modulo 11."""
    for length in (9, 10):
        total = sum(int(digit) * (length + 1 - place) for place, digit in enumerate(number[:length]))
        if total * 10 % 11 % 10 != int(number[length]):
            return False
    return len(set(number)) > 1


def _is_ahv(number: str) -> bool:
    """Switzerland: the check digit of EAN-13 behind 756."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(number[:12]))
    return (10 - total % 10) % 10 == int(number[12])


def _is_nino(number: str) -> bool:
    """United Kingdom: no check digit, but prefixes that are never given."""
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_SSN_CUE = linear.compile(r"(?i)\b(?:ssn|social security)\b")
_Number = tuple[linear.Pattern, Callable[[str], bool], linear.Pattern | None]
_NUMBERS: tuple[_Number, ...] = (
    (
        linear.compile(r"(?i)\b[XYZ]?[0-9]{7,8}[ -]?[A-HJ-NP-TV-Z]\b"),
        _is_dni,
        None,
    ),
    (linear.compile(r"(?i)\b[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\b"), _is_codice_fiscale, None),
    (linear.compile(r"(?i)\b[A-CEGHJ-PR-TW-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b"), _is_nino, None),
    (
        linear.compile(r"(?i)\b[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b"),
        _is_nir,
        None,
    ),
    (linear.compile(r"\b756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}\b"), _is_ahv, None),
    (linear.compile(r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b"), _is_cpf, None),
    (linear.compile(r"\b[0-9]{11}\b"), _is_cpf, linear.compile(r"(?i)\bcpf\b")),
    (linear.compile(r"\b[0-9]{11}\b"), _is_pesel, linear.compile(r"(?i)\bpesel\b")),
    (
        linear.compile(r"\b[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b"),
        _is_steuer_id,
        linear.compile(r"(?i)steuer|\btax\b|\btin\b|idnr"),
    ),
    (linear.compile(r"\b[0-9]{9}\b"), _is_bsn, linear.compile(r"(?i)\bbsn\b|burgerservice|sofi")),
    (linear.compile(r"\b[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b"), _is_nif, linear.compile(r"(?i)\bnif\b|contribuinte")),
)

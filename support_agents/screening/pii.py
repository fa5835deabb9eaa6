"""Personal identifiers out of a text before it leaves for an external model, and back in; it keeps nothing itself."""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from support_agents.screening.identifiers import cards, emails, ibans, ip_addresses, reveals, urls
from support_agents.screening.national_ids import licences, national_ids
from support_agents.screening.people import addresses, names
from support_agents.screening.phones import phones
from support_agents.screening.spans import Found, PiiFinder, PiiKind

LONGEST = 100_000
_MARK_BYTES = 4
# Where finds overlap the earlier kind wins: what has a checksum or a plain shape before what only looks like one.
_FINDERS = (
    (PiiKind.EMAIL, emails),
    (PiiKind.URL, urls),
    (PiiKind.IP, ip_addresses),
    (PiiKind.IBAN, ibans),
    (PiiKind.NATIONAL_ID, national_ids),
    (PiiKind.LICENCE, licences),
    (PiiKind.CARD, cards),
    (PiiKind.PHONE, phones),
    (PiiKind.ADDRESS, addresses),
    (PiiKind.NAME, names),
)


@dataclass(frozen=True)
class Masked:
    """A text with placeholders, what each stands for, and every form in which a value was written."""

    text: str
    restore: Mapping[str, str]
    written: Mapping[str, str]


@dataclass(frozen=True)
class RuleFinder:
    """`PiiFinder` by shapes, checksums and cues; it loads no model and opens no file but its own tables."""

    def find(self, text: str) -> tuple[Found, ...]:
        """Return what is found in the first `LONGEST` characters, in order and without overlap."""
        taken: list[Found] = []
        for kind, finder in _FINDERS:
            for start, end in finder(text[:LONGEST]):
                if all(end <= other.start or start >= other.end for other in taken):
                    taken.append(Found(start, end, kind))
        return tuple(sorted(taken))


RULES = RuleFinder()


def mask(text: str, run_salt: bytes, *, finder: PiiFinder = RULES, known: Sequence[str] = ()) -> Masked:
    """Replace what `finder` finds and the `known` values; one value has one placeholder within `run_salt`.

    The salt is random and new for each run, so that nobody can write a placeholder or compare two runs. A link that
    carries nothing private stays, for a reply may have to quote it.
    """
    restore: dict[str, str] = {}
    written: dict[str, str] = {}
    parts: list[str] = []
    at = 0
    for start, end, kind in _with_known(text, finder.find(text), known):
        if kind is PiiKind.URL and not reveals(text[start:end]):
            continue
        placeholder = _placeholder(kind, text[start:end], run_salt)
        restore.setdefault(placeholder, text[start:end])
        written[text[start:end]] = placeholder
        parts += [text[at:start], placeholder]
        at = end
    return Masked("".join([*parts, text[at:]]), restore, written)


def unmask(text: str, restore: Mapping[str, str], *, only: Collection[str]) -> str:
    """Put back those values that are in `only`: the ticket's own customer's; other placeholders stay."""
    for placeholder, value in restore.items():
        if value in only:
            text = text.replace(placeholder, value)
    return text


def _with_known(text: str, found: Sequence[Found], known: Sequence[str]) -> list[Found]:
    """Add every place of a known value; a find that it overlaps gives way, for the known value is the whole one."""
    places: list[Found] = []
    for value in sorted(filter(None, known), key=len, reverse=True):
        at = text.find(value)
        while at >= 0:
            end = at + len(value)
            if all(end <= other.start or at >= other.end for other in places):
                places.append(Found(at, end, PiiKind.EMAIL if "@" in value else PiiKind.NAME))
            at = text.find(value, end)
    kept = [one for one in found if all(one.end <= other.start or one.start >= other.end for other in places)]
    return sorted([*kept, *places])


def _placeholder(kind: PiiKind, value: str, salt: bytes) -> str:
    normal = "".join(value.casefold().split())
    mark = hmac.new(salt, f"{kind}\0{normal}".encode(), hashlib.sha256).hexdigest()[: 2 * _MARK_BYTES]
    return f"[{kind}_{mark.upper()}]"

"""Measures what is found of personal data on texts whose spans others marked; it tunes nothing on them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from support_agents.intents.rows import Row, read_rows
from support_agents.screening.spans import Found, PiiFinder, PiiKind

Progress = Callable[[int, int], None]
# What data sets call that for which there is a kind here. What they mark besides is counted apart, never as a miss.
KINDS = {
    "EMAIL": PiiKind.EMAIL,
    "EMAIL_ADDRESS": PiiKind.EMAIL,
    "PHONE": PiiKind.PHONE,
    "PHONE_NUMBER": PiiKind.PHONE,
    "CARD": PiiKind.CARD,
    "CREDIT_CARD": PiiKind.CARD,
    "IBAN": PiiKind.IBAN,
    "IBAN_CODE": PiiKind.IBAN,
    "IP": PiiKind.IP,
    "IP_ADDRESS": PiiKind.IP,
    "URL": PiiKind.URL,
    "DOMAIN_NAME": PiiKind.URL,
    "NATIONAL_ID": PiiKind.NATIONAL_ID,
    "US_SSN": PiiKind.NATIONAL_ID,
    "LICENCE": PiiKind.LICENCE,
    "US_DRIVER_LICENSE": PiiKind.LICENCE,
    "ADDRESS": PiiKind.ADDRESS,
    "STREET_ADDRESS": PiiKind.ADDRESS,
    "NAME": PiiKind.NAME,
    "PERSON": PiiKind.NAME,
}
IDENTIFIERS = (PiiKind.EMAIL, PiiKind.PHONE, PiiKind.CARD, PiiKind.IBAN, PiiKind.IP, PiiKind.URL)
_SPAN_PARTS = 3
_LONGEST_LINE = 1_000_000


class PiiFigures(BaseModel):
    """Precision, recall and F1 (0..1); a find counts when kind and at least half of both spans agree."""

    model_config = ConfigDict(frozen=True)

    precision: float
    recall: float
    f1: float
    found: int
    marked: int = Field(description="spans in the data of this kind")


class PiiReport(PiiFigures):
    """What `eval pii --json` prints; the figures above are over all kinds."""

    identifiers: PiiFigures = Field(description="e-mail, phone, card, IBAN, IP address and URL together")
    by_type: dict[str, PiiFigures]
    not_looked_for: dict[str, int] = Field(description="spans of types for which there is no kind here")
    texts: int


@dataclass(frozen=True)
class Marked:
    """A text with the spans that others marked, by the kinds of here; `others` counts the rest by their type."""

    text: str
    spans: tuple[Found, ...]
    others: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> tuple["Marked", ...]:
        """Read lines of `{"text", "spans": [[start, end, type]]}`; `SupportError` names file, line and field."""
        return tuple(map(_marked, read_rows(path, longest=_LONGEST_LINE)))


def measure(texts: tuple[Marked, ...], finder: PiiFinder, progress: Progress) -> PiiReport:
    """Look through every text and count right finds, wrong ones and misses by kind."""
    right, wrongly, missed, others = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for done, marked in enumerate(texts):
        progress(done, len(texts))
        found = finder.find(marked.text)
        hits = _agreeing(found, marked.spans)
        right.update(str(one.kind) for one in hits)
        wrongly.update(str(one.kind) for one in found)
        missed.update(str(one.kind) for one in marked.spans)
        others.update(marked.others)
    progress(len(texts), len(texts))
    everything = tuple(PiiKind)
    return PiiReport(
        **_figures(everything, right, wrongly, missed).model_dump(),
        identifiers=_figures(IDENTIFIERS, right, wrongly, missed),
        by_type={
            str(kind): _figures([kind], right, wrongly, missed)
            for kind in everything
            if missed[str(kind)] or wrongly[str(kind)]
        },
        not_looked_for=dict(sorted(others.items())),
        texts=len(texts),
    )


def _agreeing(found: Iterable[Found], truth: tuple[Found, ...]) -> list[Found]:
    """Return the finds that agree with a marked span, each of which counts once."""
    left, hits = list(truth), []
    for one in found:
        match = next((span for span in left if span.kind is one.kind and _overlap(one, span)), None)
        if match is not None:
            left.remove(match)
            hits.append(one)
    return hits


def _overlap(one: Found, other: Found) -> bool:
    common = min(one.end, other.end) - max(one.start, other.start)
    return 2 * common >= max(one.end, other.end) - min(one.start, other.start)


def _figures(kinds: Iterable[PiiKind], right: Counter[str], found: Counter[str], marked: Counter[str]) -> PiiFigures:
    names = [str(kind) for kind in kinds]
    hits, given, real = (sum(count[name] for name in names) for count in (right, found, marked))
    return PiiFigures(
        precision=round(hits / given, 4) if given else 0.0,
        recall=round(hits / real, 4) if real else 0.0,
        f1=round(2 * hits / (given + real), 4) if given + real else 0.0,
        found=given,
        marked=real,
    )


def _marked(row: Row) -> Marked:
    text, (_, spans) = row.string("text"), row.first("spans")
    if not isinstance(spans, list) or not all(_is_span(span, len(text)) for span in spans):
        raise row.wrong("spans", "must be a list of [start, end, type] inside of the text")
    known = tuple(Found(start, end, KINDS[name]) for start, end, name in spans if name in KINDS)
    return Marked(text, known, tuple(name for _, _, name in spans if name not in KINDS))


def _is_span(span: object, length: int) -> bool:
    if not isinstance(span, list) or len(span) != _SPAN_PARTS:
        return False
    start, end, name = span
    return type(start) is int and type(end) is int and 0 <= start < end <= length and isinstance(name, str)

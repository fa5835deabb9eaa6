"""What a page shows of a run's grounds: cited passages with their quotes, the verdict, stage timings; pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from approvals.wording import milliseconds, words
from support_agents.domain.knowledge import Audience, Citation, RetrievedPassage
from support_agents.domain.runs import RunRecord, Sections, StageTiming
from support_agents.domain.sections import Check, CheckResult


@dataclass(frozen=True)
class Stretch:
    """A piece of a passage, and whether it is quoted by the draft."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class CitedPassage:
    """A passage as the draft's reader may check it."""

    title: str
    heading: str
    stretches: tuple[Stretch, ...]
    internal: bool
    verified_until: str = ""


@dataclass(frozen=True)
class CheckLine:
    """One check that failed, or all passes of one check together."""

    name: str
    result: CheckResult
    words: str


@dataclass(frozen=True)
class StageBar:
    """One stage on the time line; `x` and `width` are per cent of the run's length."""

    stage: str
    took: str
    x: float
    width: float
    error: str | None


def cited(sections: Sections) -> tuple[CitedPassage, ...]:
    """The passages that the draft quotes, in order of their first quote."""
    quotes: dict[str, list[Citation]] = {}
    for sentence in sections.draft.sentences if sections.draft else ():
        for citation in sentence.citations:
            quotes.setdefault(str(citation.passage_id), []).append(citation)
    found = {str(item.passage.id): item for item in (sections.retrieval.passages if sections.retrieval else ())}
    return tuple(_cited(found.get(key), citations) for key, citations in quotes.items())


def uncited(sections: Sections) -> tuple[CitedPassage, ...]:
    """What else was found, best first: the evidence when there is no draft."""
    used = {str(c.passage_id) for s in (sections.draft.sentences if sections.draft else ()) for c in s.citations}
    passages = sections.retrieval.passages if sections.retrieval else ()
    return tuple(_cited(item, ()) for item in passages if str(item.passage.id) not in used)


def _cited(item: RetrievedPassage | None, citations: Sequence[Citation]) -> CitedPassage:
    if item is None:
        return CitedPassage(
            citations[0].title, "", tuple(Stretch(c.quote, quoted=True) for c in citations), internal=False
        )
    passage = item.passage
    stretches = stretched(passage.text, [citation.quote for citation in citations])
    return CitedPassage(
        passage.title,
        passage.heading,
        stretches,
        internal=passage.audience is Audience.INTERNAL,
        verified_until=passage.verified_until.isoformat() if item.stale and passage.verified_until else "",
    )


def stretched(text: str, quotes: Iterable[str]) -> tuple[Stretch, ...]:
    """Cut `text` at the quotes that stand in it; overlapping quotes become one."""
    spans = sorted((text.find(quote), text.find(quote) + len(quote)) for quote in quotes if quote and quote in text)
    pieces: list[Stretch] = []
    at = 0
    for start, end in spans:
        if end <= at:
            continue
        begin = max(start, at)
        pieces += [Stretch(text[at:begin], quoted=False), Stretch(text[begin:end], quoted=True)]
        at = end
    return tuple(piece for piece in (*pieces, Stretch(text[at:], quoted=False)) if piece.text)


def check_lines(checks: Sequence[Check]) -> tuple[CheckLine, ...]:
    """Failures first, each with its reason; passes once per check, with how many sentences passed it."""
    failed = [CheckLine(c.name, c.result, c.reason) for c in checks if c.result is CheckResult.FAILED]
    passes = Counter(check.name for check in checks if check.result is CheckResult.PASSED)
    passed = [
        CheckLine(name, CheckResult.PASSED, f"passed {count} times" if count > 1 else "passed")
        for name, count in passes.items()
    ]
    return (*failed, *passed)


def length_of(record: RunRecord) -> str:
    """What a run's milliseconds are counted from, and to; for a draft that was written whole nobody waited."""
    return "from its own beginning" if record.parent_run_id else "from the first byte to card ready"


def stage_bars(timings: Sequence[StageTiming]) -> tuple[StageBar, ...]:
    """Each stage's place on the run's time line."""
    whole = max((timing.started_ms + timing.took_ms for timing in timings), default=0) or 1
    return tuple(
        StageBar(
            stage=words(timing.stage),
            took=milliseconds(timing.took_ms),
            x=round(100 * timing.started_ms / whole, 2),
            width=max(0.6, round(100 * timing.took_ms / whole, 2)),
            error=timing.error,
        )
        for timing in timings
    )

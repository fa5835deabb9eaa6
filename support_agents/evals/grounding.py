"""Measures the check that a draft says what its source says, on texts that others labelled; it tunes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from pydantic import BaseModel, ConfigDict, Field

from support_agents.agents.checks.differences import Difference, Sign, differences
from support_agents.agents.checks.meaning import UNSUPPORTED
from support_agents.agents.checks.source import read
from support_agents.evals.figures import percentile_ms, share
from support_agents.evals.grounding_rows import GroundingRow
from support_agents.ports import Entailment

Progress = Callable[[int, int], None]
FLAGGED_FROM = 1
"""Differences from which a text counts as ungrounded; the product's check goes by the same number."""


class DomainFigures(BaseModel):
    """One kind of document; a share is None where no row has that label."""

    model_config = ConfigDict(frozen=True)

    rows: int
    balanced_accuracy: float | None = Field(description="mean of the two shares below; chance is 0.5")
    wrong_flagged: float | None = Field(description="share of the wrong texts that were flagged")
    right_passed: float | None = Field(description="share of the right texts that passed")


class SignFigures(BaseModel):
    """How often one sign was seen, and how often it was right."""

    model_config = ConfigDict(frozen=True)

    rows: int
    wrong: float | None = Field(description="share of its rows whose text really is wrong")


class GroundingFigures(DomainFigures):
    """What `eval grounding --json` prints."""

    domains: dict[str, DomainFigures]
    signs: dict[str, SignFigures]
    entailment: str | None = Field(description="the entailment model that was asked too, if any")
    threshold: int = Field(description="differences from which a text is flagged")
    p50_ms: float = Field(description="one text with its document, both read anew")
    p99_ms: float


@dataclass(frozen=True)
class _Judged:
    """A row with what was found in it."""

    row: GroundingRow
    found: tuple[Difference, ...]
    unsupported: float
    seconds: float

    @property
    def flagged(self) -> bool:
        return len(self.found) >= FLAGGED_FROM or self.unsupported >= UNSUPPORTED


def measure(
    rows: Sequence[GroundingRow], language: str, progress: Progress, *, entailment: Entailment | None = None
) -> GroundingFigures:
    """Compare every text with its document as the product compares a sentence with the passages that it cites."""
    judged = []
    for at, row in enumerate(rows):
        progress(at, len(rows))
        judged.append(_judged(row, language, entailment))
    progress(len(rows), len(rows))
    seconds = [one.seconds for one in judged]
    domains = sorted({one.row.domain for one in judged})
    return GroundingFigures(
        **_figures(judged).model_dump(),
        domains={name: _figures([one for one in judged if one.row.domain == name]) for name in domains},
        signs={sign.value: _sign(judged, sign) for sign in Sign},
        entailment=entailment.version if entailment else None,
        threshold=FLAGGED_FROM,
        p50_ms=round(percentile_ms(seconds, 50), 3),
        p99_ms=round(percentile_ms(seconds, 99), 3),
    )


def _judged(row: GroundingRow, language: str, entailment: Entailment | None) -> _Judged:
    began = perf_counter()
    source = read.__wrapped__(row.doc)
    found = tuple(found for line in read(row.summary).lines for found in differences(line, source, language))
    unsupported = entailment.unsupported(row.doc, row.summary) if entailment else 0.0
    return _Judged(row, found, unsupported, perf_counter() - began)


def _figures(judged: Sequence[_Judged]) -> DomainFigures:
    wrong = share([one.flagged for one in judged if one.row.is_wrong])
    right = share([not one.flagged for one in judged if not one.row.is_wrong])
    both = None if wrong is None or right is None else round((wrong + right) / 2, 4)
    return DomainFigures(rows=len(judged), balanced_accuracy=both, wrong_flagged=wrong, right_passed=right)


def _sign(judged: Sequence[_Judged], sign: Sign) -> SignFigures:
    seen = [one.row.is_wrong for one in judged if any(found.sign is sign for found in one.found)]
    return SignFigures(rows=len(seen), wrong=share(seen))

"""The managers' page about approving, in words; without names unless the installation asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.console.views.figures import Figure
from approvals.wording import Tone, counted
from db.read_models.approvers import ApproverFigures, Pair
from support_agents.domain.ids import OperatorId, RunId
from support_agents.domain.runs import RunRecord

_FEW = 5  # below so many refunds a share says nothing
_MUCH = 0.5
_EXCERPT = 160


@dataclass(frozen=True)
class PersonFigures:
    """One person's checks; shown only where the installation asks for it."""

    who: str
    caught: int
    missed: int


@dataclass(frozen=True)
class Candidate:
    """A stored draft that was blocked, and why."""

    run_id: RunId
    excerpt: str
    why: str


@dataclass(frozen=True)
class ApproversView:
    """The whole page."""

    days: int
    alarm: str
    figures: tuple[Figure, ...]
    concentration: tuple[str, ...]
    people: tuple[PersonFigures, ...]
    checks_allowed: bool
    candidates: tuple[Candidate, ...]


def shown_approvers(
    figures: ApproverFigures,
    candidates: Sequence[RunRecord],
    names: Mapping[OperatorId, str],
    *,
    days: int,
    checks_allowed: bool,
) -> ApproversView:
    """Put the page together; an alarm is raised by missed checks alone."""
    seeded = figures.seeded
    alarm = (
        f"{counted(seeded.missed, 'known bad draft was', 'known bad drafts were')} approved" if seeded.missed else ""
    )
    return ApproversView(
        days=days,
        alarm=alarm,
        figures=(
            Figure(str(seeded.caught), "checks caught", Tone.GOOD if seeded.caught else Tone.PLAIN),
            Figure(str(seeded.missed), "checks missed", Tone.BAD if seeded.missed else Tone.PLAIN),
            Figure(str(seeded.open), "checks open"),
            Figure(_per_cent(figures.replies_edited, figures.replies_decided), "of replies edited first"),
            Figure(str(figures.refunds_approved), "refunds approved"),
        ),
        concentration=(
            *(_line(pair, names, "to one customer") for pair in figures.with_customers if _tells(pair)),
            *(_line(pair, names, "together with one colleague") for pair in figures.with_approvers if _tells(pair)),
        ),
        people=tuple(
            PersonFigures(names[person], caught, missed)
            for person, (caught, missed) in sorted(seeded.by_person.items(), key=lambda item: names.get(item[0], ""))
            if person in names
        ),
        checks_allowed=checks_allowed,
        candidates=tuple(_candidate(record) for record in candidates),
    )


def _tells(pair: Pair) -> bool:
    return pair.of >= _FEW and pair.share >= _MUCH


def _line(pair: Pair, names: Mapping[OperatorId, str], what: str) -> str:
    who = names.get(pair.operator, "One person")
    return f"{who} approved {pair.together} of {pair.of} refunds {what}."


def _per_cent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else "–"


def _candidate(record: RunRecord) -> Candidate:
    draft, compliance = record.sections.draft, record.sections.compliance
    text = " ".join(draft.text.split()) if draft else ""
    reasons = [check.reason or check.name for check in compliance.checks if check.reason] if compliance else []
    return Candidate(record.run_id, text[:_EXCERPT] + ("…" if len(text) > _EXCERPT else ""), "; ".join(reasons))

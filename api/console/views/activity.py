"""How it goes, in figures: outcomes, times, what is stuck; counts of stored rows only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from api.conflicts import Conflicts
from api.console.views.conflicts import ConflictsView, conflict_figures, shown_conflicts
from api.console.views.figures import CountRow, CountTable, Figure, counted
from api.console.views.models import ModelsView
from approvals.authority import RANK
from approvals.canonical import Way
from approvals.ports import Person
from approvals.wording import EXECUTIONS, OUTCOMES, REQUESTS, WAYS, Badge, Tone, milliseconds
from approvals.wording import words as words_of
from db.read_models.activity import Activity
from db.repositories.dispatch import Stop
from db.repositories.workspaces import Workspace
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Role

_MOST_NAMED = 5
_WINDOWS = ((1, "1 hour"), (24, "24 hours"), (168, "7 days"), (720, "30 days"))
Code = TypeVar("Code", bound=StrEnum)


@dataclass(frozen=True)
class Window:
    """A length of time to look back."""

    hours: int
    words: str
    chosen: bool


@dataclass(frozen=True)
class SwitchView:
    """One kind of action or way out with its switch; `scope` and `what` are what the form sends."""

    scope: str
    what: str
    words: str
    stopped: bool
    may_switch: bool


@dataclass(frozen=True)
class DispatchView:
    """Whether effects may leave, and who may change that."""

    words: str
    stopped: bool
    may_switch: bool
    parts: tuple[SwitchView, ...]


@dataclass(frozen=True)
class ActivityView:
    """The whole page."""

    windows: tuple[Window, ...]
    figures: tuple[Figure, ...]
    tables: tuple[CountTable, ...]
    dispatch: DispatchView
    conflicts: ConflictsView


def shown_activity(  # noqa: PLR0913 - what the page is about
    activity: Activity,
    workspace: Workspace,
    person: Person,
    *,
    hours: int,
    pending: int,
    stops: Sequence[Stop] = (),
    models: ModelsView = ModelsView(),  # noqa: B008 - frozen and empty
    expired: Sequence[str] = (),
    conflicts: Conflicts | None = (),
) -> ActivityView:
    """Put the page together; `expired` names clauses of the policy file whose last day is over.

    `conflicts` are what articles say against the policy; None while they are looked for.
    """
    stuck = activity.stuck
    return ActivityView(
        windows=tuple(Window(length, words, length == hours) for length, words in _WINDOWS),
        figures=(
            Figure(str(sum(activity.outcomes.values())), "runs"),
            *_times(activity),
            Figure(str(activity.late_runs), "late", Tone.CARE if activity.late_runs else Tone.PLAIN),
            Figure(str(pending), "to decide now"),
            Figure(counted(stuck.needs_person) or "0", "need a person now", _care(stuck.needs_person)),
            Figure(counted(stuck.in_doubt) or "0", "in doubt now", _alarm(stuck.in_doubt)),
            Figure(counted(stuck.buried) or "0", "buried", _alarm(stuck.buried)),
            *_expired(expired),
            *conflict_figures(conflicts),
            *models.figures,
        ),
        tables=(
            _table("Runs by outcome", activity.outcomes, OUTCOMES),
            _table("Requests", activity.requests, REQUESTS),
            _table("Carried out", activity.executions, EXECUTIONS),
            *models.tables,
        ),
        dispatch=_dispatch(workspace, person, stops),
        conflicts=shown_conflicts(conflicts),
    )


def _times(activity: Activity) -> tuple[Figure, ...]:
    known = (
        (activity.p50_ms, "ms, half of the runs"),
        (activity.p95_ms, "ms, 95 of 100 runs"),
        (activity.slowest_ms, "ms, the slowest"),
    )
    return tuple(Figure(milliseconds(value), words) for value, words in known if value is not None)


def _expired(names: Sequence[str]) -> tuple[Figure, ...]:
    """What nobody states any more until it is renewed or taken out of the file."""
    if not names:
        return ()
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    told = f"clauses of the policy file have expired: {', '.join(names[:_MOST_NAMED])}{more}"
    return (Figure(str(len(names)), told, Tone.CARE),)


def _care(number: int) -> Tone:
    return Tone.CARE if number else Tone.PLAIN


def _alarm(number: int) -> Tone:
    return Tone.BAD if number else Tone.PLAIN


def _table(title: str, counts: Mapping[Code, int], names: Mapping[Code, Badge]) -> CountTable:
    most = max(counts.values(), default=0) or 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    rows = (
        CountRow(names[code].text, count, round(100 * count / most, 2), names[code].tone) for code, count in ordered
    )
    return CountTable(title, tuple(rows))


def _dispatch(workspace: Workspace, person: Person, stops: Sequence[Stop]) -> DispatchView:
    stopped = workspace.paused_at is not None
    if workspace.quarantined_at is not None:
        words = "Held after a restore: nothing leaves until an admin adopts this database."
    elif stopped:
        words = "Stopped: nothing leaves. Decisions are kept and carried out when it goes on."
    else:
        words = f"On, in {workspace.mode} mode: approved actions leave when their undo window closes."
    parts = _parts(person, {(stop.scope, stop.what) for stop in stops})
    return DispatchView(words, stopped, may_switch=_may_switch(person, stopped=stopped), parts=parts)


def _parts(person: Person, stops: Collection[tuple[str, str]]) -> tuple[SwitchView, ...]:
    kinds = ((("kind", kind), words_of(kind)) for kind in ActionKind)
    ways = ((("way", way), f"by {WAYS.get(way, words_of(way))}") for way in Way)
    return tuple(
        SwitchView(*key, words, stopped=key in stops, may_switch=_may_switch(person, stopped=key in stops))
        for key, words in (*kinds, *ways)
    )


def _may_switch(person: Person, *, stopped: bool) -> bool:
    return RANK[person.role] >= RANK[Role.ADMIN if stopped else Role.MANAGER]

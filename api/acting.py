"""Wires approval and execution around the doors to the outside; it chooses no door."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from api.opening import Standings
from api.secret_key import SecretKey, decision_key
from api.settings import Settings
from approvals.attachments import Shelf
from approvals.attempts import Timing
from approvals.authority import BUILT_IN
from approvals.authority_file import load_authority
from approvals.business_calendar import closed_days
from approvals.business_hours import BusinessHours
from approvals.canonical import Way
from approvals.composing import Composer
from approvals.consequences import Consequences, UndoWindows
from approvals.decision_seal import DecisionSeal
from approvals.dispatch import DispatchSwitch
from approvals.execution import Executions
from approvals.executors.dry_run import DryRunExecutor
from approvals.executors.protocol import Executor
from approvals.inside_steps import InsideSteps
from approvals.outcome import Outcome
from approvals.ports import HelpdeskGateway
from approvals.provider_events import ProviderEvents
from approvals.quarantine import Quarantine
from approvals.queue import ApprovalQueue
from approvals.routing import Routes
from approvals.seeds import Seeds
from approvals.submission import Submission
from db.anchor import Anchor
from db.audit_sealer import AuditSealer
from db.engine import Database
from db.installation import Installation
from support_agents.domain.errors import SupportError


@dataclass(frozen=True)
class Acting:
    """All that decides, carries out, and keeps the record of it."""

    queue: ApprovalQueue
    executions: Executions
    provider_events: ProviderEvents
    inside_steps: InsideSteps
    standings: Standings
    switch: DispatchSwitch
    seeds: Seeds
    sealer: AuditSealer


@dataclass(frozen=True)
class Doors:
    """The ways out that this installation has."""

    executors: Mapping[Way, Executor]
    helpdesks: Mapping[str, HelpdeskGateway]
    routes: Routes
    shelf: Shelf = field(default_factory=Shelf)


def hours_of(settings: Settings) -> BusinessHours:
    """Monday to Friday, 9 to 18, without public holidays."""
    closed = closed_days(settings.business_holidays, today=datetime.now(UTC).date())
    return BusinessHours(zone=ZoneInfo(settings.business_timezone), closed_on=closed)


def acting_of(settings: Settings, key: SecretKey, database: Database, doors: Doors) -> Acting:
    """Return the collaborators, all on one database."""
    dry = _dry_ways(settings.dry_run)
    routes = replace(doors.routes, dry=dry)
    executors = {
        way: DryRunExecutor(executor, live=way in routes.live) if way in dry else executor
        for way, executor in doors.executors.items()
    }
    consequences = Consequences(
        hours=hours_of(settings),
        windows=UndoWindows(
            reply=timedelta(seconds=settings.undo_reply_seconds), refund=timedelta(seconds=settings.undo_refund_seconds)
        ),
    )
    authority = load_authority(settings.authority) if settings.authority else BUILT_IN
    submission = Submission(
        authority=authority,
        composer=Composer(routes, doors.shelf),
        consequences=consequences,
        time_limit=timedelta(hours=settings.request_ttl_business_hours),
    )
    timing = Timing(margin=timedelta(seconds=settings.call_margin_seconds))
    sealer = sealer_of(settings, key, database)
    seal = decision_seal(settings, key)
    return Acting(
        queue=ApprovalQueue(database, authority, submission, consequences, seal=seal),
        executions=Executions(
            database, executors, consequences, timing, anchor=sealer.seal, authority=authority, seal=seal
        ),
        provider_events=ProviderEvents(database, Outcome(database, consequences)),
        inside_steps=InsideSteps(database, doors.helpdesks),
        standings=Standings(database, Installation(sealer), Quarantine(database, consequences)),
        switch=DispatchSwitch(database),
        seeds=Seeds(database, submission, allowed=settings.attention_checks),
        sealer=sealer,
    )


def sealer_of(settings: Settings, key: SecretKey, database: Database) -> AuditSealer:
    """Return what seals the audit, and the anchor beside the database that knows how far it has come."""
    path = settings.anchor_path or settings.data_dir / "anchor.json"
    anchor = Anchor(path, key.derived("anchor"), key.accepted("anchor"))
    return AuditSealer(database, anchor, key.derived("audit"), partial(key.sealers, "audit"))


def decision_seal(settings: Settings, key: SecretKey) -> DecisionSeal:
    """Return what seals decisions: by a key of its own where privileges are separated, else by the installation's."""
    own = decision_key(settings)
    if own is None and settings.privilege is not None:
        return DecisionSeal(None)
    found = own or key
    return DecisionSeal(found.derived("decisions"), found.accepted("decisions"))


def _dry_ways(given: Collection[str]) -> frozenset[Way]:
    """The ways that the setting names; `all` is every way, and a name that is none is refused."""
    unknown = set(given) - set(Way) - {"all"}
    if unknown:
        raise SupportError("settings", f"set SUPPORT_DRY_RUN: “{min(unknown)}” is neither `all` nor a way out")
    return frozenset(Way) if "all" in given else frozenset(Way(way) for way in given)

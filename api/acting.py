"""Wires approval and execution around the doors to the outside; it chooses no door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from api.opening import Standings
from api.secret_key import SecretKey
from api.settings import Settings
from approvals.attempts import Timing
from approvals.authority import BUILT_IN
from approvals.business_hours import BusinessHours
from approvals.canonical import Way
from approvals.composing import Composer
from approvals.consequences import Consequences, UndoWindows
from approvals.execution import Executions
from approvals.executors.protocol import Executor
from approvals.inside_steps import InsideSteps
from approvals.ports import HelpdeskGateway
from approvals.quarantine import Quarantine
from approvals.queue import ApprovalQueue
from approvals.routing import Routes
from approvals.submission import Submission
from db.anchor import Anchor
from db.audit_sealer import AuditSealer
from db.engine import Database
from db.installation import Installation


@dataclass(frozen=True)
class Acting:
    """All that decides, carries out, and keeps the record of it."""

    queue: ApprovalQueue
    executions: Executions
    inside_steps: InsideSteps
    standings: Standings
    sealer: AuditSealer


@dataclass(frozen=True)
class Doors:
    """The ways out that this installation has."""

    executors: Mapping[Way, Executor]
    helpdesks: Mapping[str, HelpdeskGateway]
    routes: Routes


def acting_of(settings: Settings, key: SecretKey, database: Database, doors: Doors) -> Acting:
    """Return the collaborators, all on one database."""
    consequences = Consequences(
        hours=BusinessHours(zone=ZoneInfo(settings.business_timezone)),
        windows=UndoWindows(
            reply=timedelta(seconds=settings.undo_reply_seconds), refund=timedelta(seconds=settings.undo_refund_seconds)
        ),
    )
    submission = Submission(
        authority=BUILT_IN,
        composer=Composer(doors.routes),
        consequences=consequences,
        time_limit=timedelta(hours=settings.request_ttl_business_hours),
    )
    timing = Timing(margin=timedelta(seconds=settings.call_margin_seconds))
    anchor = Anchor(settings.anchor_path or settings.data_dir / "anchor.json", key.derived("anchor"))
    return Acting(
        queue=ApprovalQueue(database, BUILT_IN, submission, consequences),
        executions=Executions(database, doors.executors, consequences, timing),
        inside_steps=InsideSteps(database, doors.helpdesks),
        standings=Standings(database, Installation(database, anchor), Quarantine(database, consequences)),
        sealer=AuditSealer(database, anchor, key.derived("audit")),
    )

"""What an installation does by the clock and at its start, and a scheduler's wiring around that; it loads no model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from api.acting import Acting, acting_of
from api.choices import Role
from api.container import Records, Step
from api.engines import order_lookup, system_clock
from api.messaging import reminding_of
from api.opening import apply_mode, check_standing, release_leases, require_anchor
from api.outside import Outside, outside_of
from api.settings import Settings
from api.slack_bootstrap import slack_messenger
from api.worker.assembly import upkeep_of
from api.worker.schedule import Duty
from approvals.messaging import Messenger
from db.engine import Database
from db.fences import UPKEEP, behind
from db.part_store import PartStore
from support_agents.domain.errors import SupportError

# Parts are made two months ahead: that nobody looked for weeks is no loss.
_PARTS_SECONDS = 6 * 3600
_FORGET_SECONDS = 600


@dataclass(frozen=True)
class Upkeep:
    """What a scheduler needs: duties, without a model, an index or a door for anybody to come in by."""

    duties: Sequence[Duty]
    opening: Sequence[Step]
    closing: Sequence[Step]


def build_upkeep(settings: Settings, records: Records) -> Upkeep:
    """Wire a scheduler."""
    clock = system_clock()
    outside = outside_of(settings, clock, order_lookup(settings, clock), records.database)
    acting = acting_of(settings, records.key, records.database, outside.doors)
    messenger = None if settings.slack_bot_token is None else slack_messenger(settings, records.key)
    return Upkeep(
        duties_of(settings, records.database, acting, outside, messenger),
        opening=(*opening_of(settings, records.database, acting, Role.SCHEDULER), outside.paying.record),
        closing=(*outside.closing, *(() if messenger is None else (messenger.close,))),
    )


def duties_of(
    settings: Settings, database: Database, acting: Acting, outside: Outside, messenger: Messenger | None
) -> tuple[Duty, ...]:
    """What one process of an installation does by the clock."""
    told = () if messenger is None else reminding_of(settings, database, messenger)
    duties = (
        *upkeep_of(database, acting),
        Duty("payments", 60, outside.paying.record),
        Duty("attachments", _FORGET_SECONDS, partial(_forget, database, timedelta(days=settings.attachment_days))),
        Duty("parts", _PARTS_SECONDS, PartStore(database).make),
        *told,
        *_traces(settings, database),
    )
    return tuple(replace(duty, work=partial(_everywhere, duty.work)) for duty in duties)


async def _forget(database: Database, age: timedelta) -> None:
    """Empty the texts of customers' files that have been kept for long enough."""
    async with database.write("attachments_forgotten") as uow:
        await uow.attachments.forget_older(age)


def _traces(settings: Settings, database: Database) -> tuple[Duty, ...]:
    """Sends finished runs on as spans, where somebody asked for it; nothing of it is loaded otherwise."""
    if not settings.traces_url:
        return ()
    try:
        from api.telemetry.traces import EVERY, Traces, sender_of  # noqa: PLC0415 - loaded where it is asked for
    except ModuleNotFoundError as error:
        message = "SUPPORT_TRACES_URL needs `pip install support-agents[phoenix]`; or unset it"
        raise SupportError("settings", message) from error
    traces = Traces(database, sender_of(settings.traces_url))
    return (Duty("traces", EVERY, traces.run),)


async def _everywhere(work: Step) -> None:
    """What is due is looked for in every workspace."""
    with behind(UPKEEP):
        await work()


def opening_of(settings: Settings, database: Database, acting: Acting, role: Role) -> tuple[Step, ...]:
    """What a start does before anything else; a process that does not act leaves it to the one that does."""
    if not settings.is_door:
        return ()
    holds_back = role is Role.SCHEDULER or not settings.distributed
    return (
        *(() if holds_back else (lambda: require_anchor(acting.standings),)),
        lambda: check_standing(acting.standings),
        lambda: apply_mode(database, settings),
        lambda: release_leases(database, settings),
    )

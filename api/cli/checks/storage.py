"""Checks of what is stored: schema, clock, quarantine, operators, articles, macros, index; it repairs nothing."""

import asyncio

from api.bootstrap import build, build_records
from api.cli.checks.finding import Finding
from api.cli.client import running
from api.container import Container
from api.key_records import KeyRecords
from api.schemas import IndexBody
from api.settings import Settings
from db.engine import Database
from db.part_store import PartStore
from db.uow import UnitOfWork
from db.upgrade import is_current
from support_agents.composing.binding import bind
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.macros import load_macros

UPGRADE = "support-agents db upgrade"
SYNC = "support-agents kb sync PATH"
_MOST_NAMED = 5


async def schema(settings: Settings) -> tuple[Finding, ...]:
    """Whether the database answers and misses no migration."""
    place = "SQLite in the data folder" if settings.embedded else "PostgreSQL"
    if not await migrated(settings):
        return (Finding("database", f"{place}: not there yet, or migrations are missing", UPGRADE),)
    return (Finding("database", f"{place}, at the newest schema"),)


async def migrated(settings: Settings) -> bool:
    """Whether the database can be read; looking must not make an empty file."""
    if not settings.database_url and not (settings.data_dir / "support.db").exists():
        return False
    return await asyncio.to_thread(is_current, settings.database)


async def contents(settings: Settings) -> tuple[Finding, ...]:
    """What the database says of clock, quarantine, people, articles and keys."""
    records = build_records(settings)
    try:
        async with records.database.read() as uow:
            found = (await _clock(uow), await _dispatch(uow), await _people(uow), await _knowledge(uow))
            now = await uow.now()
        kept = await KeyRecords(settings, records.database, records.key).kept_on()
        keys = tuple(Finding("secret keys", each.told(now), each.fix) for each in kept)
        return (*found, *keys, *await _parts(records.database))
    finally:
        await records.close()


async def index(settings: Settings) -> tuple[Finding, ...]:
    """Whether every stored passage is indexed, asked of the running server or of the folder itself."""
    if settings.distributed:
        return (Finding("index", "each process keeps its own in step; the `/readyz` of an API tells of that API's"),)
    client = running(settings)
    if client is not None:
        return (_of_server(IndexBody.model_validate(client.get("/v1/knowledge/index"))),)
    container = build(settings)
    try:
        return (await _index(container),)
    finally:
        await container.close()


async def macros(settings: Settings) -> tuple[Finding, ...]:
    """Whether every case of the approved replies still rests on the articles; those that do not are named."""
    if settings.macros is None:
        return (Finding("macros", "none: replies are quoted from articles alone (SUPPORT_MACROS)", absent=True),)
    loaded = load_macros(settings.macros)
    records = build_records(settings)
    try:
        wanted = sorted({article for macro in loaded for article in macro.articles})
        bound = bind(loaded, await records.passages.passages_of(DEFAULT_WORKSPACE, wanted))
    finally:
        await records.close()
    cases = sum(len(macro.cases) for macro in loaded)
    named = "; ".join(str(one) for one in bound.refused[:_MOST_NAMED])
    more = f"; and {len(bound.refused) - _MOST_NAMED} more" if len(bound.refused) > _MOST_NAMED else ""
    told = f"{len(loaded)} with {cases} cases"
    fix = "correct the macro or the article, then sync again" if bound.refused else ""
    return (Finding("macros", f"{told}; not used: {named}{more}" if bound.refused else told, fix),)


async def _index(container: Container) -> Finding:
    stored = await container.passages.passage_ids(DEFAULT_WORKSPACE)
    indexed = await container.asking.index.ids(DEFAULT_WORKSPACE)
    if stored == indexed:
        return Finding("index", f"{len(indexed)} passages, in step")
    told = _differing(len(stored - indexed), len(indexed - stored))
    return Finding("index", told, "support-agents serve, or kb sync again")


def _of_server(found: IndexBody) -> Finding:
    if found.in_step:
        return Finding("index", f"{found.stored} passages, in step")
    missing = found.stored - found.indexed
    made = "all passages are there; topics and macros are being made of them"
    told = _differing(missing, found.surplus) if missing or found.surplus else made
    return Finding("index", told, "wait a moment, the server is at it; if it stays, look at the server's log")


def _differing(missing: int, surplus: int) -> str:
    return f"{missing} passages missing, {surplus} too many"


async def _parts(database: Database) -> tuple[Finding, ...]:
    """Of PostgreSQL only: whether every row has found the part of its month."""
    store = PartStore(database)
    try:
        count = len(await store.parts())
    except SupportError:
        return ()
    strays = await store.strays()
    told = f"{', '.join(strays)}: rows that fit no month; parts were not made in time, or a clock was wrong"
    return (Finding("parts", told if strays else f"{count}", "support-agents db parts make" if strays else ""),)


async def _clock(uow: UnitOfWork) -> Finding:
    if await uow.outbox.clock_went_back():
        text = "behind what the database has already seen; dispatch is stopped until it has caught up"
        return Finding("clock", text, "sudo timedatectl set-ntp true")
    return Finding("clock", (await uow.now()).isoformat(timespec="seconds"))


async def _dispatch(uow: UnitOfWork) -> Finding:
    workspace = await uow.workspaces.get(DEFAULT_WORKSPACE)
    if workspace.quarantined_at is not None:
        reason = workspace.quarantine_reason or "no reason is on record"
        return Finding("dispatch", f"in quarantine: {reason}", "support-agents quarantine adopt --email ADMIN")
    if workspace.paused_at is not None:
        return Finding("dispatch", "paused by the kill switch", "resume it in the console")
    return Finding("dispatch", f"on, mode {workspace.mode}")


async def _people(uow: UnitOfWork) -> Finding:
    people = [person for person in await uow.operators.all(DEFAULT_WORKSPACE) if person.disabled_at is None]
    fix = "" if people else "support-agents operators add EMAIL --role admin"
    return Finding("operators", f"{len(people)} may sign in", fix)


async def _knowledge(uow: UnitOfWork) -> Finding:
    articles = len(await uow.knowledge.article_hashes(DEFAULT_WORKSPACE))
    passages = len(await uow.knowledge.passage_ids(DEFAULT_WORKSPACE))
    return Finding("knowledge", f"{articles} articles, {passages} passages", "" if articles else SYNC)

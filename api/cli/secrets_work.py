"""The work of `secrets`: opens the records, has keys let go of and tells what came of it; it prints no key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.table import Table

from api.bootstrap import build_records
from api.cli.client import running
from api.cli.installation import configured, recorded
from api.cli.output import results
from api.container import Records
from api.engines import intent_registry
from api.key_records import KeyRecords
from api.opening import migrate
from api.resealing import resealing_of
from api.secret_key import drop_old_file, replace_file
from api.settings import Settings
from support_agents.domain.errors import SupportError

STEPS = (
    "SUPPORT_SECRET_KEY is set, so no file is changed. For every process: 1. put a new key (openssl rand -hex 32) into"
    " SUPPORT_SECRET_KEYS_OLD and restart; 2. exchange the two and restart; 3. `support-agents secrets reseal`, then"
    " empty SUPPORT_SECRET_KEYS_OLD and restart"
)


async def rotate() -> None:
    """Replace the file's key, which the database has to know of first: what it was is needed afterwards."""
    settings = configured()
    if settings.secret_key is not None:
        raise SupportError("settings", STEPS)
    if running(settings) is not None:
        raise SupportError("already_running", "a server is running: stop it, then rotate and start it again")
    async with recorded(settings):
        replace_file(settings.data_dir)
    results().print("a new key is in place and the old one beside it; start the server, then run")
    results().print("`support-agents secrets reseal` to let go of the old one")


async def show() -> None:
    """Print every key's fingerprint and what it is good for now."""
    settings = configured()
    async with _unchecked(settings) as records:
        known = KeyRecords(settings, records.database, records.key)
        found, keys = await known.all(), known.keys
        waiting = await resealing_of(records).open_decisions() if _decides(settings) else 0
    table = Table("for", "fingerprint", "in use since", "now", box=None)
    for each in found:
        key = keys.get(each.kind)
        held = key is not None and each.fingerprint in {one.fingerprint for one in key.elders}
        if each.retired_at is not None:
            state = "let go"
        elif key is not None and each.fingerprint == key.fingerprint:
            state = "present"
        else:
            state = "accepted" if held else "needed, but not here"
        table.add_row(each.kind, each.fingerprint, each.created_at.isoformat(timespec="minutes"), state)
    results().print(table)
    if waiting:
        results().print(f"{waiting} answers to requests that are not at an end were sealed by an older key")


async def reseal() -> bool:
    """Let go of older keys; whether all could be."""
    settings = configured()
    if settings.privilege is not None:
        raise SupportError(
            "settings",
            "unset SUPPORT_PRIVILEGE for this command: it needs the owner's database URL, the anchor and all keys",
        )
    async with recorded(settings) as records:
        heads = intent_registry(settings).sign_again()
        done = await resealing_of(records).run()
    out = results()
    out.print(f"sealed anew: {done.factors} second factors, the anchor, {heads} intent models of this data folder")
    for each in done.let_go:
        out.print(f"let go of the {each}: it may be taken out of the settings", soft_wrap=True)
    for each in done.waiting:
        out.print(f"still needed: {each}", soft_wrap=True)
    if not done.let_go and not done.waiting:
        out.print("nothing needs an older key")
    if not done.waiting and settings.secret_key is None:
        drop_old_file(settings.data_dir)
    return not done.waiting


async def forget(fingerprint: str) -> None:
    """Note that a key is lost."""
    settings = configured()
    async with _unchecked(settings) as records:
        await resealing_of(records).forget(fingerprint)
    results().print("noted; the next start is in quarantine until an admin adopts the database")


@asynccontextmanager
async def _unchecked(settings: Settings) -> AsyncIterator[Records]:
    """The records although a key that they need is missing."""
    records = build_records(settings)
    try:
        await migrate(settings)
        yield records
    finally:
        await records.close()


def _decides(settings: Settings) -> bool:
    return settings.privilege is None or settings.decision_key is not None

"""A turn that one process of all on a PostgreSQL database has at a time; it protects no row and decides nothing."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg

from support_agents.domain.errors import SupportError

StillMine = Callable[[], Awaitable[None]]

_LOOK_SECONDS = 0.5
# A holder that is frozen, or whose machine is gone, loses the turn: the server ends a session that says nothing.
_SILENCE = "10s"
_KEEPALIVE = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"


@asynccontextmanager
async def turn(conninfo: str, name: str) -> AsyncIterator[StillMine]:
    """Wait for the turn and hold it until left; call what it yields every few seconds: it raises when it is lost."""
    try:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True, options=_KEEPALIVE) as connection:
            await connection.execute(f"SET idle_session_timeout = '{_SILENCE}'")
            # A session's lock: it ends with the connection, however the process ends.
            while not await _locked(connection, name):  # noqa: ASYNC110 - another process ends it, not an event
                await asyncio.sleep(_LOOK_SECONDS)

            async def still_mine() -> None:
                try:
                    await connection.execute("SELECT 1")
                except psycopg.OperationalError as error:
                    raise _lost(error) from error

            yield still_mine
    except psycopg.OperationalError as error:
        raise _lost(error) from error


def _lost(error: psycopg.Error) -> SupportError:
    return SupportError("database_unavailable", str(error), retryable=True)


async def _locked(connection: psycopg.AsyncConnection[tuple[object, ...]], name: str) -> bool:
    key = zlib.crc32(f"support-agents {name}".encode())
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (key,))).fetchone()
    return row is not None and bool(row[0])

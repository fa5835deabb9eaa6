"""The yardstick for acknowledgements: a bare FastAPI endpoint with one durable insert, in a process of its own."""

import asyncio
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Protocol

import psycopg
import uvicorn
from fastapi import FastAPI, Request, Response

CONNECTIONS = 10


class Inserter(Protocol):
    """Stores bodies; each is on disk before `insert` returns."""

    async def open(self) -> None:
        """Connect."""
        ...

    async def insert(self, raw: bytes) -> int:
        """Store one body durably and return its row."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


class SqliteInserter:
    """One connection in one thread; every insert is a commit of its own."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1, "inserter")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, raw BLOB NOT NULL)")

    async def open(self) -> None:
        """Connected from the start."""

    async def insert(self, raw: bytes) -> int:
        """Store one body durably and return its row; the event loop goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, raw)

    def _insert(self, raw: bytes) -> int:
        self._db.execute("BEGIN IMMEDIATE")
        row = self._db.execute("INSERT INTO events (raw) VALUES (?)", (raw,)).lastrowid
        self._db.execute("COMMIT")
        return row or 0

    async def close(self) -> None:
        """Close the file."""
        self._thread.shutdown()
        self._db.close()


class PostgresInserter:
    """As many kept-open connections as the product has; every insert is a commit of its own, flushed by the server.

    The server itself lets commits that wait at the same moment share a flush.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._free: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()

    async def open(self) -> None:
        """Connect, and make the table."""
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True))
        connection = await self._free.get()
        await connection.execute("CREATE TABLE events (id bigserial PRIMARY KEY, raw bytea NOT NULL)")
        self._free.put_nowait(connection)

    async def insert(self, raw: bytes) -> int:
        """Store one body durably and return its row."""
        connection = await self._free.get()
        try:
            cursor = await connection.execute("INSERT INTO events (raw) VALUES (%s) RETURNING id", (raw,))
            row = await cursor.fetchone()
        finally:
            self._free.put_nowait(connection)
        return int(row[0]) if row else 0

    async def close(self) -> None:
        """Close the connections."""
        for _ in range(CONNECTIONS):
            await (await self._free.get()).close()


def application(inserter: Inserter) -> FastAPI:
    """Return the application with its one route."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await inserter.open()
        yield
        await inserter.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/webhooks/standard", status_code=202)
    async def receive(request: Request) -> Response:
        row = await inserter.insert(await request.body())
        return Response(f'{{"id": {row}}}', status_code=202, media_type="application/json")

    return app


def main() -> None:
    """Listen on a free port and print it, with the product's own uvicorn settings."""
    where = sys.argv[1]
    inserter: Inserter = PostgresInserter(where) if where.startswith("postgresql:") else SqliteInserter(where)
    # Without the protocol asyncio sets no TCP_NODELAY, and every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - read by the parent process
    config = uvicorn.Config(
        application(inserter),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        proxy_headers=False,
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()

"""The yardstick for acknowledgements: a bare FastAPI endpoint with one durable insert, in a process of its own."""

import asyncio
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response


class Inserter:
    """One connection in one thread; each insert is on disk before it returns."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, "inserter")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, raw BLOB NOT NULL)")

    async def insert(self, raw: bytes) -> int:
        """Store one body durably and return its row; the event loop goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, raw)

    def _insert(self, raw: bytes) -> int:
        self._db.execute("BEGIN IMMEDIATE")
        row = self._db.execute("INSERT INTO events (raw) VALUES (?)", (raw,)).lastrowid
        self._db.execute("COMMIT")
        return row or 0

    def close(self) -> None:
        """Close the file."""
        self._thread.shutdown()
        self._db.close()


def application(path: Path) -> FastAPI:
    """Return the application with its one route."""
    inserter = Inserter(path)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        inserter.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/webhooks/standard", status_code=202)
    async def receive(request: Request) -> Response:
        row = await inserter.insert(await request.body())
        return Response(f'{{"id": {row}}}', status_code=202, media_type="application/json")

    return app


def main() -> None:
    """Listen on a free port and print it, with the product's own uvicorn settings."""
    # Without the protocol asyncio sets no TCP_NODELAY, and every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - read by the parent process
    config = uvicorn.Config(
        application(Path(sys.argv[1])),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()

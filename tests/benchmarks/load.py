"""The load generator, in a process of its own: signed webhooks made ahead, sent over kept-open raw connections."""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.figures import percentile
from tests.benchmarks.messages import samples
from tests.peers.product import signed

_ACCEPTED = b"HTTP/1.1 202"
_LENGTH = b"content-length:"
_VARIETY = 230


@dataclass
class Tally:
    """What came back."""

    requests: Iterator[bytes]
    seconds: list[float] = field(default_factory=list)


def requests(count: int, *, series: str, starts_runs: bool) -> list[bytes]:
    """Return `count` complete HTTP requests, each on a ticket of its own.

    Without `starts_runs` each carries an operator's message, which is stored in the same way and calls for no run.
    """
    known = samples(min(count, _VARIETY), series=series)
    made = []
    for at in range(count):
        fields: dict[str, Any] = json.loads(known[at % len(known)].body())
        fields["ticket"]["id"] = fields["message"]["id"] = f"{series}{at:06d}"
        if not starts_runs:
            fields["message"]["author"] = "operator"
        made.append(_request(json.dumps(fields).encode()))
    return made


def _request(body: bytes) -> bytes:
    headers: Mapping[str, str] = {"host": "127.0.0.1", "content-length": str(len(body)), **signed(body)}
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    return f"POST /webhooks/standard HTTP/1.1\r\n{lines}\r\n\r\n".encode() + body


async def fire(port: int, made: list[bytes], *, at_once: int, seconds: float) -> Tally:
    """Send for so many seconds, or until all are sent."""
    tally = Tally(iter(made))
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_connection(port, tally, until) for _ in range(at_once)))
    return tally


async def _connection(port: int, tally: Tally, until: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until and (request := next(tally.requests, None)) is not None:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        tally.seconds.append(time.perf_counter() - began)
        if not head.startswith(_ACCEPTED):
            raise RuntimeError(head.decode(errors="replace"))
    writer.close()


def _length(head: bytes) -> int:
    return next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(_LENGTH))


def main() -> None:
    """Fire and print acknowledgements a second with their latencies, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--at-once", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--series", required=True)
    parser.add_argument("--starts-runs", action="store_true")
    given = parser.parse_args()
    made = requests(given.count, series=given.series, starts_runs=given.starts_runs)
    began = time.perf_counter()
    tally = asyncio.run(fire(given.port, made, at_once=given.at_once, seconds=given.seconds))
    took = time.perf_counter() - began
    shares = {name: percentile(tally.seconds, share) * 1_000 for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95))}
    print(json.dumps({"per_second": len(tally.seconds) / took, "count": len(tally.seconds), **shares}))  # noqa: T201


if __name__ == "__main__":
    main()

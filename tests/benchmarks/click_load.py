"""`python -m tests.benchmarks.click_load URL SECRET PER_SECOND`: sends prepared Slack deliveries; prints their times.

Deliveries come by standard input, one JSON object a line: `path` and `body`. They arrive at random instants around the
rate, whether or not earlier ones were answered, and each is signed as it is sent.
"""

import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime

import httpx

from tests.fixtures.slack import signed


async def main(url: str, secret: str, per_second: float) -> None:
    """Send all, then print the times in milliseconds and the statuses."""
    deliveries = [json.loads(line) for line in sys.stdin if line.strip()]
    pauses = random.Random(7)  # noqa: S311 - a load, not a secret
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    took: list[float] = []
    statuses: list[int] = []

    async def send(client: httpx.AsyncClient, delivery: dict[str, str]) -> None:
        raw = delivery["body"].encode()
        headers = signed(raw, datetime.now(UTC), secret=secret)
        began = time.perf_counter()
        answer = await client.post(delivery["path"], content=raw, headers=headers)
        took.append((time.perf_counter() - began) * 1_000)
        statuses.append(answer.status_code)

    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            due = 0.0
            for delivery in deliveries:
                due += pauses.expovariate(per_second)
                await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
                group.create_task(send(client, delivery))
        seconds = time.perf_counter() - began
    print(json.dumps({"took": took, "statuses": statuses, "seconds": seconds}))  # noqa: T201 - the result


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))

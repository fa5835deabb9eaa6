"""`python -m tests.benchmarks.hop BROKER PREFIX`: prints for each hint the instant at which its work would start."""

import sys
import time
from datetime import timedelta

from api.worker.brokers import Broker
from api.worker.consuming import LoopThread, Terms, consume
from api.worker.hints import Hint, Queue


async def _started(hint: Hint) -> None:
    """The clock is the machine's own, so that the process that sent can compare."""
    sys.stdout.write(f"{hint.event} {time.monotonic()}\n")
    sys.stdout.flush()


def main() -> None:
    """Consume until SIGTERM."""
    url, prefix = sys.argv[1:]
    loop = LoopThread()
    loop.start()
    try:
        consume(Broker(url, prefix, timedelta(seconds=60)), Terms(tuple(Queue), 4, 1.0), _started, loop)
    finally:
        loop.stop()


if __name__ == "__main__":
    main()

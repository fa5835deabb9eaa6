"""A thread that embeds, the most urgent texts first, and how texts are cut into batches; it knows no model."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from queue import PriorityQueue

import numpy as np

from support_agents.domain.errors import SupportError
from support_agents.ports import Vector

# A batch is never interrupted, so its size is what a message may wait for: about 40 ms. Larger ones gain nothing.
BATCH_TEXTS, BATCH_CHARACTERS = 8, 700

Compute = Callable[[Sequence[str]], Vector]


class Urgency(IntEnum):
    """Which work goes first when both wait."""

    MESSAGE = 0
    BACKGROUND = 1
    STOP = 2


@dataclass(frozen=True, order=True)
class _Work:
    """One batch in the queue; of equal urgency the earlier goes first."""

    urgency: Urgency
    number: int
    texts: tuple[str, ...] = field(compare=False)
    compute: "Compute" = field(compare=False)
    done: "Future[Vector]" = field(compare=False)


class Worker:
    """One thread that computes the most urgent batch first."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._queue: PriorityQueue[_Work] = PriorityQueue()
        self._numbers = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="embedder", daemon=True)
        self._thread.start()

    def submit(self, texts: Sequence[str], urgency: Urgency, compute: Compute | None = None) -> "Future[Vector]":
        """Queue one batch; of equal urgency the earlier goes first."""
        if self._closed:
            raise SupportError("embedder_closed", "the embedder has been closed")
        return self._put(texts, urgency, compute or self._compute)

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        if not self._closed:
            self._closed = True
            self._put((), Urgency.STOP, self._compute)
        self._thread.join()

    def _put(self, texts: Sequence[str], urgency: Urgency, compute: Compute) -> "Future[Vector]":
        done: Future[Vector] = Future()
        self._queue.put(_Work(urgency, next(self._numbers), tuple(texts), compute, done))
        return done

    def _work(self) -> None:
        while (work := self._queue.get()).urgency is not Urgency.STOP:
            if not work.done.set_running_or_notify_cancel():
                continue
            try:
                work.done.set_result(work.compute(work.texts))
            except Exception as error:  # noqa: BLE001 - handed to the caller, who awaits it
                work.done.set_exception(error)


async def in_batches(worker: Worker, texts: Sequence[str], urgency: Urgency, dimensions: int) -> Vector:
    """Embed batches of like length, so that little is padding, and put the rows back in order."""
    batches = batches_of(texts)
    futures = [asyncio.wrap_future(worker.submit([texts[i] for i in batch], urgency)) for batch in batches]
    result = np.empty((len(texts), dimensions), dtype=np.float32)
    for batch, rows in zip(batches, await asyncio.gather(*futures), strict=True):
        result[batch] = rows
    return result


def batches_of(texts: Sequence[str]) -> list[list[int]]:
    """Group indexes of like length; a padded batch stays within `BATCH_CHARACTERS` unless it is one long text."""
    batches: list[list[int]] = []
    for index in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        size = len(batches[-1]) + 1 if batches else 0
        if batches and size <= BATCH_TEXTS and size * len(texts[index]) <= BATCH_CHARACTERS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches

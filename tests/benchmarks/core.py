"""How many runs a second one core carries where the model answers at once: real embedder, every card committed."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import thread_time

from support_agents.adapters.onnx import MiniLm
from tests.benchmarks.committed import desk
from tests.benchmarks.figures import Report, Shown, table
from tests.benchmarks.in_process import in_process, models_at, question_of
from tests.benchmarks.messages import samples
from tests.benchmarks.promise import series_of, stretched
from tests.benchmarks.provider import provider_process

RUNS, AT_ONCE, WARM_UP = 400, 3, 40
ASKED_FOR = 40
_EMBEDDING = "embedder"  # the name of the thread that computes vectors and nothing else
# Deadlines are made so many times as long: a run that is refused or cut short, because others keep the machine busy,
# costs less than one that is done, and it is the cost of those that is asked for.
_PATIENCE = 12.0
_TASKS = Path("/proc/self/task")
# How quick a machine is at the moment, in the same call: 40 tokens with the two that every text has.
_YARDSTICK = " ".join(["parcel"] * 38)
_MEASURED = 25


def measure(runs: int = RUNS) -> Report:
    """No two messages are alike, so that nothing is remembered of one that would help with the next."""
    return asyncio.run(_measured(runs))


async def _measured(runs: int) -> Report:
    messages = samples(WARM_UP + runs, series="C")
    questions = [question_of(sample) for sample in messages]
    with provider_process("--instant") as address:
        settings = {**models_at(address), **stretched(_PATIENCE)}
        async with in_process(len(messages), settings) as container, desk(container) as committed:
            await series_of("", committed, questions[:WARM_UP], AT_ONCE)
            before = _by_thread()
            found = await series_of("an instant model", committed, questions[WARM_UP:], AT_ONCE)
            after = _by_thread()
    used = {name: (seconds - before.get(name, 0.0)) * 1_000 / runs for name, seconds in after.items()}
    whole, embedding = found.cpu * 1_000 / runs, used.get(_EMBEDDING, 0.0)
    used["(threads that have ended, and rounding)"] = whole - sum(used.values())
    net = 1_000 / (whole - embedding)
    yardstick = _embedding_ms()
    rows = [
        (f"thread {name}", used[name], "") for name in sorted(used, key=lambda name: -used[name]) if used[name] > 0.1
    ]
    shown = table(
        f"{runs} different messages, {AT_ONCE} at once",
        ("", "processor ms a run", "runs/s a core"),
        [
            ("whole run", whole, 1_000 / whole),
            ("without embedding", whole - embedding, net),
            *rows,
            ("one embedding of 40 tokens", yardstick, ""),
        ],
    )
    figures = {
        **found.figures(),
        "processor_ms": whole,
        "embedding_ms": embedding,
        "threads": used,
        "net": net,
        "yardstick_ms": yardstick,
    }
    figures.pop("slowest")
    text = f"{net:.0f} runs/s a core net of embedding, {1_000 / whole:.0f} with it; ≥ {ASKED_FOR} asked for"
    return Report("core", (shown,), figures, (Shown(text, net >= ASKED_FOR),))


def _embedding_ms() -> float:
    """Processor milliseconds that one embedding of 40 tokens takes now, alone; the median of some."""
    model, took = MiniLm.load(threads=1), []
    for _ in range(_MEASURED):
        began = thread_time()
        model.vectors([_YARDSTICK])
        took.append(thread_time() - began)
    return median(took) * 1_000


def _by_thread() -> Mapping[str, float]:
    """Seconds of processor of each thread so far, by name; threads of one name are added up.

    Threads that Python did not start (an engine's, a library's) have the name that the system knows.
    """
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    used: dict[str, float] = {}
    for task in _TASKS.iterdir():
        try:
            nanoseconds = int((task / "schedstat").read_text().split()[0])
            name = names.get(int(task.name)) or f"{(task / 'comm').read_text().strip()} (not Python's)"
        except OSError:
            continue  # it has just ended
        used[name] = used.get(name, 0.0) + nanoseconds / 1e9
    return used

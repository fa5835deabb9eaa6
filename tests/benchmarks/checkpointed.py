"""Five trivial steps in LangGraph with a durable checkpointer: the yardstick for what orchestration itself costs.

`python tests/benchmarks/checkpointed.py sqlite|postgres --sections FILE --url PATH_OR_DSN --runs N --at-once K` prints
one line of JSON. It needs nothing of this project, so that its interpreter may have other packages.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypedDict
from uuid import uuid4

_WARM_UP = 20


class State(TypedDict, total=False):
    """What the steps write: the sections of one of our own runs, as JSON, and the record of all of them."""

    message: str
    intent: str
    retrieval: str
    plan: str
    draft: str
    compliance: str
    record: str


def _steps(sections: dict[str, str]) -> dict[str, Callable[[State], Awaitable[State]]]:
    """Five steps that answer at once, in the order of ours; drafting leaves its verdict, as ours does."""

    async def intent(_state: State) -> State:
        return {"intent": sections["intent"]}

    async def retrieval(_state: State) -> State:
        return {"retrieval": sections["retrieval"]}

    async def planning(_state: State) -> State:
        return {"plan": sections["plan"]}

    async def drafting(_state: State) -> State:
        return {"draft": sections["draft"], "compliance": sections["compliance"]}

    async def log(_state: State) -> State:
        return {"record": sections["record"]}

    return {step.__name__ + "_step": step for step in (intent, retrieval, planning, drafting, log)}


@asynccontextmanager
async def _saver(way: str, url: str) -> AsyncIterator[Any]:
    """Open the checkpointer as its documentation shows it; a commit is flushed to disk, as ours is."""
    if way == "sqlite":
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - only where it is asked for

        async with AsyncSqliteSaver.from_conn_string(url) as saver:
            await saver.conn.execute("PRAGMA journal_mode=WAL")
            await saver.conn.execute("PRAGMA synchronous=FULL")
            await saver.setup()
            yield saver
        return
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: PLC0415 - as above

    async with AsyncPostgresSaver.from_conn_string(url) as saver:
        await saver.setup()
        yield saver


async def measured(way: str, url: str, sections: dict[str, str], *, runs: int, at_once: int) -> dict[str, Any]:
    """Run so many messages and return the figures."""
    from langgraph.graph import END, START, StateGraph  # noqa: PLC0415 - as above

    graph: Any = StateGraph(State)
    steps = _steps(sections)
    for name, step in steps.items():
        graph.add_node(name, step)
    for before, after in zip((START, *steps), (*steps, END), strict=True):
        graph.add_edge(before, after)
    seconds: list[float] = []
    async with _saver(way, url) as saver:
        compiled = graph.compile(checkpointer=saver)

        async def customer(count: int) -> None:
            for _ in range(count):
                began = time.monotonic()
                thread = {"configurable": {"thread_id": str(uuid4())}}
                await compiled.ainvoke({"message": sections["message"]}, thread, durability="sync")
                seconds.append(time.monotonic() - began)

        await customer(_WARM_UP)
        seconds.clear()
        began, cpu = time.monotonic(), time.process_time()
        await asyncio.gather(*(customer(runs // at_once) for _ in range(at_once)))
        wall, cpu = time.monotonic() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu_ms": cpu * 1_000 / len(seconds), "runs_per_second": len(seconds) / wall}


def main() -> None:
    """Measure one checkpointer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=("sqlite", "postgres"))
    parser.add_argument("--sections", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--at-once", type=int, required=True)
    given = parser.parse_args()
    sections = json.loads(given.sections.read_text(encoding="utf-8"))
    found = asyncio.run(measured(given.way, given.url, sections, runs=given.runs, at_once=given.at_once))
    print(json.dumps(found))  # noqa: T201 - read by who started it


if __name__ == "__main__":
    main()

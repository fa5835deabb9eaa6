"""Work in a process of its own, forked from a warm one, and killed without warning where its plan says so."""

import asyncio
import gc
import json
import logging
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from db.upgrade import upgrade
from tests.soak.batch import Batch
from tests.soak.furnishing import furnish
from tests.soak.machine import ApprovalMachine
from tests.soak.stage import Home
from tests.soak.threadless import without_threads

RESULT = "result.json"
EXAMPLES, STEPS = 20, 50  # of one walk of the state machine
WALK = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, print_blob=False,
    suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
)  # fmt: skip


def forked(work: Callable[[], None], folder: Path) -> int:
    """Do `work` in a fork; returns its process id. Its words and errors go to `log` in the folder."""
    process = os.fork()
    if process:
        return process
    for each in (signal.SIGINT, signal.SIGTERM):  # the parent's to act on
        signal.signal(each, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(50_000)
    code = 1
    try:
        with (folder / "log").open("a", buffering=1) as log:
            sys.stdout = sys.stderr = log
            without_threads()
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
            try:
                work()
                code = 0
            except Exception:  # noqa: BLE001 - a fork must end here, with its error written down
                traceback.print_exc()
    finally:
        os._exit(code)


def furnishing(url: str, folder: Path) -> int:
    """Begin to make the template of batches."""
    return forked(lambda: asyncio.run(furnish(url, folder / "people.jsonl")), folder)


def migrating(url: str, folder: Path) -> int:
    """Begin to make the template of walks: a database in which nothing is."""
    return forked(lambda: upgrade(url), folder)


def batch(url: str, folder: Path, seed: int, kills: float) -> int:
    """Begin a batch, or go on with one."""
    return forked(lambda: _batch(url, folder, seed, kills), folder)


def walk(url: str, folder: Path, seed: int) -> int:
    """Begin a walk of the state machine."""
    return forked(lambda: _walk(url, folder, seed), folder)


def _batch(url: str, folder: Path, seed: int, kills: float) -> None:
    made = Batch(url, folder, seed, kills)
    tally = asyncio.run(made.run())
    _write(folder, {**asdict(tally), "seed": seed, "defects": made.defects[:20]})


def _walk(url: str, folder: Path, seed: int) -> None:
    defects: list[str] = []
    with asyncio.Runner() as runner:
        ApprovalMachine.home = home = Home.at(url, runner)
        try:
            run_state_machine_as_test(ApprovalMachine, settings=WALK)
        except Exception as error:  # noqa: BLE001 - whatever a walk comes upon is what it is for
            traceback.print_exc()
            defects.append(f"{type(error).__name__}: {error}")
        home.reader.dispose()
    _write(folder, {"steps": home.steps, "seed": seed, "defects": defects})


def _write(folder: Path, result: dict[str, object]) -> None:
    written = folder / "writing"
    written.write_text(json.dumps(result))
    shutil.move(written, folder / RESULT)


def ended(process: int) -> int | None:
    """None while it runs; else its exit code, or minus the signal that ended it."""
    found, status = os.waitpid(process, os.WNOHANG)
    return None if found == 0 else os.waitstatus_to_exitcode(status)

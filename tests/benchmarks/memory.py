"""Resident memory of a server process: ready, and after 500 messages."""

import asyncio

from tests.benchmarks.figures import Report, Shown, table
from tests.benchmarks.installation import installed, pid_of, resident_mb
from tests.benchmarks.messages import samples
from tests.benchmarks.sending import send_all

MESSAGES, AT_ONCE = 500, 4
MOST_MB = 600.0


def measure() -> Report:
    """Read /proc of one server at three moments."""
    seen: dict[str, dict[str, float]] = {}
    with installed(MESSAGES) as running:
        running.start()
        seen["ready"] = resident_mb(pid_of(running))
        messages = samples(MESSAGES, series="M")
        asyncio.run(send_all(running, messages[:1], at_once=1))
        seen["after the first message"] = resident_mb(pid_of(running))
        asyncio.run(send_all(running, messages[1:], at_once=AT_ONCE))
        seen[f"after {MESSAGES} messages"] = resident_mb(pid_of(running))
    most = max(one["VmHWM"] for one in seen.values())
    rows = [(moment, one["VmRSS"], one["VmHWM"]) for moment, one in seen.items()]
    shown = Shown(f"at most {MOST_MB:.0f} MB resident: {most:.0f} MB", most <= MOST_MB)
    return Report("memory", (table("resident memory, MB", ("", "now", "highest"), rows),), dict(seen), (shown,))

"""Load figures for people: a table and a plot in text, for the terminal and `docs/scale.md`; it measures nothing."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.load.watching import Slope

HEADING = "## Load"
_WIDTH = 48
_LOWEST_MS = 10.0
_COLUMNS = (
    "phase", "messages", "cards a second", "card ready p50 / p95 / p99 ms", "within 2 s", "webhook p50 / p99 ms",
    "refused", "lost", "processor ms a ticket", "others' cores",
)  # fmt: skip
Figures = Mapping[str, Any]


def table(phases: Mapping[str, Figures]) -> list[str]:
    """Return the lines of a Markdown table, one phase a row."""
    rows = [_COLUMNS, ("---",) + ("---:",) * (len(_COLUMNS) - 1)]
    rows += [_row(name, each) for name, each in phases.items()]
    return [f"| {' | '.join(row)} |" for row in rows]


def _row(name: str, each: Figures) -> tuple[str, ...]:
    card, hook = each["card_ms"], each["webhook_ms"]
    refused = sum(count for status, count in each["statuses"].items() if status != "202")
    return (
        name,
        f"{each['messages']:,}",
        f"{each['per_second']:.1f}",
        f"{card['p50']:,.0f} / {card['p95']:,.0f} / {card['p99']:,.0f}",
        f"{each['in_time']:.1%}",
        f"{hook['p50']:,.0f} / {hook['p99']:,.0f}",
        f"{refused:,}",
        f"{each['lost']:,}",
        f"{sum(each['processor_ms'].values()):.0f}",
        f"{each['others_cores']:.1f}",
    )


def plot(phases: Mapping[str, Figures]) -> list[str]:
    """Return p50 (=) and p95 (-) of card ready over the rates of a ramp, on a logarithmic scale up to a minute."""
    lines = []
    for name, each in phases.items():
        if name.startswith("ramp"):
            middle, high = (_position(each["card_ms"][share]) for share in ("p50", "p95"))
            bar = "=" * middle + "-" * (high - middle)
            lines.append(f"{name.removeprefix('ramp '):>6} {bar:<{_WIDTH}} {each['card_ms']['p95']:>8,.0f} ms p95")
    return ["```text", *lines, "```"] if lines else []


def _position(ms: float) -> int:
    share = math.log(max(ms, _LOWEST_MS) / _LOWEST_MS) / math.log(60_000 / _LOWEST_MS)
    return max(1, min(_WIDTH, round(share * _WIDTH)))


def processor(phases: Mapping[str, Figures]) -> str:
    """Say where the processor's time went in the phase with the most cards a second."""
    name, busiest = max(phases.items(), key=lambda each: each[1]["per_second"])
    spent = sorted(_by_kind(busiest["processor_ms"]).items(), key=lambda each: -each[1])
    words = ", ".join(f"{kind} {ms:.1f}" for kind, ms in spent)
    ours = sum(ms for _, ms in spent) * busiest["per_second"] / 1_000
    return (
        f"Most cards a second: {busiest['per_second']:.1f} ({name}), for which {ours:.2f} cores were used,"
        f" others on the machine {busiest['others_cores']:.2f}. Milliseconds of processor a ticket there: {words}."
    )


def _by_kind(spent: Mapping[str, float]) -> dict[str, float]:
    kinds: dict[str, float] = {}
    for name, ms in spent.items():
        kind = name.partition(" ")[0]
        kinds[kind] = kinds.get(kind, 0.0) + ms
    return kinds


def memory(phases: Mapping[str, Figures]) -> list[str]:
    """Say how memory moved in soaks."""
    return [
        f"Memory in {name}, MB an hour ± two standard errors (at the end, MB): "
        + "; ".join(f"{process} {_moved(Slope(**slope))}" for process, slope in each["memory"].items())
        + "."
        for name, each in phases.items()
        if each["memory"]
    ]


def _moved(slope: Slope) -> str:
    told = f"{slope.mb_an_hour:+.1f} ± {2 * slope.error:.1f}" if slope.tells else "too short to tell"
    return f"{told} ({slope.last_mb:.0f})"


def section(kinds: Mapping[str, Figures]) -> str:
    """Return the whole section of the docs."""
    lines = [
        HEADING,
        "",
        "Written by `make load ARGS='--write docs/scale.md'`. The load generator is a process of its own that sends",
        "at a given rate whatever comes back; a card is ready when that process can read the finished run. Two",
        "cores; the extractive drafter, so no model is waited for; everything else is real. “Others' cores” is what",
        "the rest of the machine used meanwhile, without the load generator: where it is not near 0, milliseconds",
        "are too high.",
    ]  # fmt: skip
    for kind, held in kinds.items():
        phases = held["phases"]
        lines += ["", f"### {held['title']}", "", *table(phases), "", *plot(phases), "", processor(phases)]
        lines += [each for line in memory(phases) for each in ("", line)]
        assert kind
    return "\n".join([*lines, ""])


def put(into: Path, heading: str, text: str) -> None:
    """Replace the section that begins with `heading`, or append it."""
    lines = into.read_text(encoding="utf-8").splitlines()
    start = next((at for at, line in enumerate(lines) if line == heading), len(lines))
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("## ")), len(lines))
    before, after = lines[:start], lines[end:]
    if before and before[-1]:
        before.append("")
    whole = [*before, *text.splitlines(), *([""] if after else []), *after]
    into.write_text("\n".join(whole) + "\n", encoding="utf-8")


def printed(lines: Sequence[str]) -> str:
    """Return lines for a terminal."""
    return "\n".join(lines)

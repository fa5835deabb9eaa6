"""The two seconds with a language model: real pipeline, real SDKs, a provider with the latency of real ones.

On a machine that others keep busy a run gets a fraction of a core, and what is measured is that. `--stretch 6` makes
every second of provider, deadline and shares six, so that the processor's part is again what it is on a quiet machine;
all times are then given divided by six.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from rich.table import Table

from api.asking import Question
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.ladder import TOO_BUSY
from support_agents.stages import Shares
from tests.benchmarks.committed import desk
from tests.benchmarks.figures import Report, Shown, percentile, spread, table
from tests.benchmarks.in_process import in_process, models_at, question_of
from tests.benchmarks.messages import Sample, samples
from tests.benchmarks.provider import provider_process

RUNS, AT_ONCE = 2_000, 4
PROMISE_SECONDS, WRITTEN_SHARE, LAG_MS = 2.0, 0.95, 30.0
_LEARNING = 40
_TICK = 0.005
_SLOWEST = 20  # runs whose stages are told
_SECONDS = ("understanding", "retrieval", "drafting", "commit", "quoting", "least_model")
_WHOLE = frozenset((Outcome.DRAFTED, Outcome.CLARIFY))


class Answers(Protocol):
    """What answers a message: a run that is committed, or one that is not."""

    async def ask(self, question: Question, workspace: WorkspaceId) -> RunRecord:
        """Return the record when the answer is there."""
        ...


class Start(Enum):
    """How the customers of a series begin."""

    EVENLY = auto()
    TOGETHER = auto()


@dataclass(frozen=True)
class Ended:
    """What is kept of a run. The record itself is not: thousands of them would only be the benchmark's own weight."""

    seconds: float
    outcome: str
    reason: str
    by_model: bool
    judged: bool | None
    calls: int
    stages: str

    @classmethod
    def of(cls, record: RunRecord, seconds: float) -> "Ended":
        return cls(
            seconds=seconds,
            outcome=record.outcome.value,
            reason=record.reason,
            by_model=_by_model(record),
            judged=record.sections.compliance is not None if record.outcome.has_draft else None,
            calls=sum(call.model.partition(":")[1] == ":" for call in record.model_calls),
            stages=", ".join(
                f"{one.stage} {one.started_ms:.0f}+{one.took_ms:.0f}{' ' + one.error if one.error else ''}"
                for one in sorted(record.timings, key=lambda timing: timing.started_ms)
            ),
        )


@dataclass
class Series:
    """All runs of one way of asking, with how late the event loop was meanwhile (milliseconds)."""

    label: str
    ended: list[Ended] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0
    stretch: float = 1.0

    @property
    def seconds(self) -> list[float]:
        return [one.seconds for one in self.ended]

    @property
    def in_time(self) -> float:
        return sum(one <= PROMISE_SECONDS for one in self.seconds) / len(self.ended)

    @property
    def written(self) -> float:
        """Share of all runs whose reply a language model wrote, whole or shortened."""
        return sum(one.by_model for one in self.ended) / len(self.ended)

    @property
    def judged(self) -> float:
        """Share of drafts that carry a verdict."""
        drafts = [one.judged for one in self.ended if one.judged is not None]
        return sum(drafts) / max(1, len(drafts))

    @property
    def second_calls(self) -> float:
        """Calls beyond one for a run, as a share of runs."""
        return sum(one.calls for one in self.ended) / len(self.ended) - 1

    def figures(self) -> dict[str, object]:
        slowest = sorted(self.ended, key=lambda one: -one.seconds)[:_SLOWEST]
        return {
            "runs": len(self.ended),
            "in_time": self.in_time,
            "written_by_model": self.written,
            "verdicts": self.judged,
            "ms": spread([one * 1_000 for one in self.seconds]),
            "lag_ms": spread(self.lags_ms),
            "outcomes": dict(Counter(one.outcome for one in self.ended)),
            "reasons": dict(Counter(one.reason for one in self.ended if one.reason).most_common(12)),
            "second_calls": round(self.second_calls, 3),
            "runs_per_second": round(len(self.ended) / self.wall, 1),
            "processor_ms_per_run": round(self.cpu * 1_000 / len(self.ended), 1),
            "slowest": [f"{one.seconds * 1_000:.0f} ms, {one.outcome}: {one.stages}" for one in slowest],
        }


def _by_model(record: RunRecord) -> bool:
    """Only a language model is ever cut short; a whole draft or a question is its own if its name stands on it."""
    return record.outcome is Outcome.SHORTENED or (
        record.outcome in _WHOLE and ":" in record.versions.get("drafter", "")
    )


def measure(runs: int = RUNS, stretch: float = 1.0) -> Report:
    """Run `runs` messages a few at a time, then 30 and 200 at once."""
    return asyncio.run(_measured(runs, stretch))


def stretched(stretch: float) -> dict[str, object]:
    """Settings with every limit so many times as long."""
    usual = Shares()
    stages = {name: getattr(usual, name) * stretch for name in _SECONDS}
    return {"deadline_seconds": PROMISE_SECONDS * stretch, "lease_seconds": 60.0, "stages": stages}


async def _measured(runs: int, stretch: float) -> Report:
    with provider_process("--instant") as address:
        questions = await _draftable(address, samples(46, series="P"))
    with provider_process("--seed", "1", "--stretch", str(stretch)) as address:
        series = []
        for label, at_once, count, start in (
            (f"{AT_ONCE} at once", AT_ONCE, runs, Start.EVENLY),
            ("30 at once", 30, runs, Start.EVENLY),
            ("200 in one instant", 200, max(400, runs // 5), Start.TOGETHER),
        ):
            settings = {**models_at(address), **stretched(stretch)}
            async with in_process(46, settings) as container, desk(container) as committed:
                await series_of("", committed, _repeated(questions, _LEARNING), max(4, at_once // 2))
                asked = _repeated(questions, count)
                found = await series_of(label, committed, asked, at_once, stretch=stretch, start=start)
                series.append(found)
    return Report(
        "promise", _tables(series, len(questions)), {one.label: one.figures() for one in series}, _shown(series)
    )


async def _draftable(address: str, messages: Sequence[Sample]) -> list[Question]:
    """The messages whose reply the stand-in writes whole where time is no matter: the rest is not about time."""
    found = []
    patient = {"deadline_seconds": 12.0, "stages": {"understanding": 5, "retrieval": 5, "drafting": 5}}
    async with in_process(46, {**models_at(address), **patient}) as container:
        for sample in messages:
            question = question_of(sample)
            record = await container.asking.ask(question, DEFAULT_WORKSPACE)
            if _by_model(record):
                found.append(question)
    return found


def _repeated(questions: Sequence[Question], count: int) -> list[Question]:
    return [questions[at % len(questions)] for at in range(count)]


async def series_of(  # noqa: PLR0913 - what is asked, how much at once, and on which clock
    label: str,
    asking: Answers,
    questions: list[Question],
    at_once: int,
    *,
    stretch: float = 1.0,
    start: Start = Start.EVENLY,
) -> Series:
    """Keep so many runs under way until all messages are answered; times are divided by `stretch`.

    Customers begin evenly within two seconds, or all in one instant. Nobody sends more than a message in two seconds:
    a run that is refused at once leaves its place empty until then, or else refusals would make the load endless.
    """
    series, waiting = Series(label, stretch=stretch), list(reversed(questions))
    turn = PROMISE_SECONDS * stretch
    lag = asyncio.create_task(_lag(series.lags_ms))
    began, cpu = time.monotonic(), time.process_time()

    async def customer(at: int) -> None:
        await asyncio.sleep(turn * at / at_once if start is Start.EVENLY else 0.0)
        while waiting:
            question, started = waiting.pop(), time.monotonic()
            record = await asking.ask(question, DEFAULT_WORKSPACE)
            took = time.monotonic() - started
            series.ended.append(Ended.of(record, took / stretch))
            if record.reason == TOO_BUSY and waiting:
                await asyncio.sleep(max(0.0, turn - took))

    await asyncio.gather(*(customer(at) for at in range(at_once)))
    series.wall, series.cpu = time.monotonic() - began, time.process_time() - cpu
    lag.cancel()
    return series


async def _lag(late: list[float]) -> None:
    """Note by how much the event loop wakes too late, in milliseconds."""
    while True:
        due = time.monotonic() + _TICK
        await asyncio.sleep(_TICK)
        late.append(max(0.0, time.monotonic() - due) * 1_000)


def _tables(series: Sequence[Series], draftable: int) -> tuple[Table, ...]:
    rows = [
        (
            one.label,
            len(one.ended),
            f"{one.in_time:.2%}",
            f"{one.written:.1%}",
            f"{one.judged:.0%}",
            *(value for name, value in spread([seconds * 1_000 for seconds in one.seconds]).items()),
            percentile(one.lags_ms, 0.99),
            max(one.lags_ms),
            f"{one.second_calls:+.1%}",
            one.cpu * 1_000 / len(one.ended),
        )
        for one in series
    ]
    columns = (
        "",
        "runs",
        "≤ 2.0 s",
        "by model",
        "verdict",
        "p50",
        "p95",
        "p99",
        "max",
        "lag p99",
        "lag max",
        "2nd calls",
        "cpu ms",
    )
    counts = [Counter(run.outcome for run in one.ended) for one in series]
    outcomes = sorted({outcome for count in counts for outcome in count})
    return (
        table(f"runs with a model, ms ({draftable} different messages, stretch {series[0].stretch:g})", columns, rows),
        table(
            "outcomes",
            ("", *outcomes),
            [(one.label, *(count[name] for name in outcomes)) for one, count in zip(series, counts, strict=True)],
        ),
    )


def _shown(series: Sequence[Series]) -> tuple[Shown, ...]:
    first, thirty, _ = series
    judged = min(one.judged for one in series)
    lag = percentile(thirty.lags_ms, 0.99)
    return (
        *(Shown(f"{one.label}: in time {one.in_time:.2%}, all asked for", one.in_time == 1) for one in series),
        *(
            Shown(
                f"{one.label}: written by the model {one.written:.1%}, ≥ 95 % asked for", one.written >= WRITTEN_SHARE
            )
            for one in (first, thirty)
        ),
        Shown(f"every draft has a verdict: {judged:.0%}", judged == 1),
        Shown(f"30 at once: event-loop lag p99 {lag:.0f} ms, < {LAG_MS:.0f} asked for", lag < LAG_MS),
    )

"""Sends finished runs on as OpenTelemetry spans, made from the record after its commit; it can slow or break no run.

A span says names, times, numbers, ids and codes of our own. What a customer, an article or a model said is in none.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from api import logging
from db.engine import Database
from db.read_models.happenings import newest
from db.read_models.traces import TracedRun, traced
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import ModelCall, StageTiming

SERVICE = "support-agents"
EVERY = 5.0
BATCH = 200
_SECONDS = 5.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KIND = "openinference.span.kind"  # what Phoenix draws a span by
_RESOURCE = Resource({"service.name": SERVICE})
_SCOPE = InstrumentationScope(SERVICE)

# Whether the collector took them all.
Send = Callable[[Sequence[ReadableSpan]], bool]


def sender_of(url: str) -> Send:
    """Return what sends spans by OTLP over HTTP; it blocks for some seconds at most."""
    exporter = OTLPSpanExporter(endpoint=url, timeout=_SECONDS)
    return lambda spans: exporter.export(spans) is SpanExportResult.SUCCESS


@dataclass
class Traces:
    """Follows the sealed audit from the first look on; what a collector did not take is sent again."""

    database: Database
    send: Send
    _at: int | None = field(default=None, init=False)
    _away: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Send what has finished since; a collector that is away is tried again at the next call."""
        while await self._some():
            pass

    async def _some(self) -> bool:
        """Send one batch; whether there is more to send now."""
        async with self.database.read() as uow:
            if self._at is None:
                self._at = await newest(uow, DEFAULT_WORKSPACE)
            found = await traced(uow, DEFAULT_WORKSPACE, after=self._at, limit=BATCH)
        spans = [span for run in found.runs for span in spans_of(run)]
        taken = not spans or await asyncio.to_thread(self.send, spans)
        if taken != (not self._away):
            self._away = not taken
            logging.get().warning("traces", reason="the collector took nothing" if self._away else "sent again")
        if taken:
            self._at = found.last
        return taken and found.more


def spans_of(run: TracedRun) -> Iterator[ReadableSpan]:
    """One span for the run, one for each stage, one for each call to a model; the same run always has the same ids."""
    trace = _Trace(run)
    yield trace.span("run", None, 0.0, _length(run), _of_run(run))
    for number, timing in enumerate(run.timings):
        told = {_KIND: "CHAIN", **({"error.type": timing.error} if timing.error else {})}
        yield trace.span(f"stage {timing.stage}", number, timing.started_ms, timing.took_ms, told, failed=timing.error)
    for number, call in enumerate(run.model_calls, start=len(run.timings)):
        # When a call began is not on record; it is drawn from the beginning of its agent's stage.
        yield trace.span(f"model {call.model}", number, _began(run.timings, call), call.total_ms, _of_call(call))


@dataclass(frozen=True)
class _Trace:
    run: TracedRun

    def span(  # noqa: PLR0913 - a span is made of these
        self,
        name: str,
        number: int | None,
        began_ms: float,
        took_ms: float,
        attributes: Mapping[str, AttributeValue],
        *,
        failed: str | None = None,
    ) -> ReadableSpan:
        began, ended = (self.run.begun_at + timedelta(milliseconds=at) for at in (began_ms, began_ms + took_ms))
        return ReadableSpan(
            name=name,
            context=self._context(number),
            parent=None if number is None else self._context(None),
            resource=_RESOURCE,
            attributes=attributes,
            kind=SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, failed) if failed else Status(),
            start_time=_nanoseconds(began),
            end_time=_nanoseconds(ended),
            instrumentation_scope=_SCOPE,
        )

    def _context(self, number: int | None) -> SpanContext:
        """Ids that follow from the run's: what is sent twice is the same span."""
        said = f"{self.run.id} {self.run.attempt} {number}"
        span = int.from_bytes(hashlib.sha256(said.encode()).digest()[:8]) or 1
        return SpanContext(_trace_id(self.run.id), span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _trace_id(run: UUID) -> int:
    return run.int


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def _length(run: TracedRun) -> float:
    """From its begin to the end of its last stage, in milliseconds."""
    return max((each.started_ms + each.took_ms for each in run.timings), default=0.0)


def _began(timings: Sequence[StageTiming], call: ModelCall) -> float:
    return next((each.started_ms for each in timings if each.stage == call.agent), 0.0)


def _of_run(run: TracedRun) -> Mapping[str, AttributeValue]:
    return {
        _KIND: "AGENT",
        "support.run": str(run.id),
        "support.ticket": str(run.ticket_id),
        "support.workspace": str(run.workspace_id),
        "support.attempt": run.attempt,
        "support.outcome": str(run.outcome),
        "support.late": run.late,
        "support.from_first_byte_ms": run.total_ms,
        "support.waited_ms": (run.begun_at - run.received_at) / timedelta(milliseconds=1),
    }


def _of_call(call: ModelCall) -> Mapping[str, AttributeValue]:
    told: dict[str, AttributeValue] = {
        _KIND: "LLM",
        "llm.model_name": call.model,
        "llm.token_count.prompt": call.tokens_in,
        "llm.token_count.completion": call.tokens_out,
        "llm.token_count.total": call.tokens_in + call.tokens_out,
        "support.agent": call.agent,
        "support.prompt_version": call.prompt_version,
        "support.stop": call.stop,
        "support.cost_micro_usd": call.cost_micro_usd,
    }
    return told if call.first_token_ms is None else told | {"support.first_token_ms": call.first_token_ms}

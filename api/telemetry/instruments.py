"""Every metric there is and the labels it may have: codes and names of ours, never an id or a word of anybody."""

from dataclasses import dataclass, field
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from db.read_models.happenings import FinishedRun, Happenings
from db.read_models.levels import MOST, Levels, Standing
from support_agents.domain.events import EventName
from support_agents.domain.runs import ModelCall, Outcome

# Seconds: fine below the two that a run has, coarse above.
RUN_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 3.0, 5.0, 15.0, 60.0)
REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# How long a request has waited for a person: upper bounds; what is older counts as `older`.
AGES = {
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
}
OLDER = "older"
_MOST = f"counted up to {MOST}"


@dataclass(frozen=True)
class Requests:
    """What comes in over HTTP, in this process."""

    answered: Counter
    seconds: Histogram
    refused: Counter

    @classmethod
    def of(cls, registry: CollectorRegistry) -> "Requests":
        """Register them."""
        return cls(
            Counter(
                "support_http_requests",
                "Requests by route and status.",
                ("route", "method", "status"),
                registry=registry,
            ),
            Histogram(
                "support_http_request_seconds",
                "From the first byte to the last of the answer.",
                ("route",),
                buckets=REQUEST_SECONDS,
                registry=registry,
            ),
            Counter(
                "support_webhooks_refused",
                "Signed deliveries that were asked to come again later.",
                ("source", "code"),
                registry=registry,
            ),
        )


class Gauges:
    """What stands and waits, as of the scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"support_{name}", meaning, labels, registry=registry)

        self._due = gauge("outbox_due", f"Events that could have been handled by now, {_MOST}.", "event")
        self._due_age = gauge("outbox_oldest_due_seconds", "How long the oldest of them has been due.", "event")
        self._lag = gauge("outbox_lag_seconds", "How long the oldest event of any kind has been due.")
        self._queue = gauge("queue_age_seconds", "How long the oldest message has waited for its run.")
        self._buried = gauge("buried", f"What was given up and waits for a person, {_MOST}.", "of")
        self._open = gauge("runs_open", f"Runs under way, {_MOST}.")
        self._open_age = gauge("runs_oldest_open_seconds", "For how long the oldest of them has been.")
        self._pending = gauge("approvals_pending", f"Undecided requests by age, {_MOST}.", "age")
        self._pending_age = gauge("approvals_oldest_pending_seconds", "How long the oldest has waited for a person.")
        self._executions = gauge("executions", f"Executions that have not ended, {_MOST}.", "status")
        self._execution_age = gauge("executions_oldest_seconds", "How old the oldest of them is.", "status")
        self._people = gauge("tickets_need_person", f"Tickets that came back to people, {_MOST}.")
        self._unsealed = gauge("audit_unsealed", f"Entries of the audit that are not sealed yet, {_MOST}.")
        self._unsealed_age = gauge("audit_oldest_unsealed_seconds", "How long the oldest of them has stood.")
        self._pressure = gauge("pressure", "0 calm, 1 drafts are made without a model, 2 sources are asked to wait.")
        self._open_dispatch = gauge("dispatch_on", "1 while effects may leave, 0 while paused or quarantined.")

    def set(self, now: Levels, *, may_dispatch: bool, pressure: int) -> None:
        """Show these."""
        for event, standing in now.due.items():
            self._due.labels(event).set(standing.count)
            self._due_age.labels(event).set(standing.oldest_seconds)
        self._lag.set(max(standing.oldest_seconds for standing in now.due.values()))
        self._queue.set(now.due[EventName.TICKET_RECEIVED].oldest_seconds)
        self._buried.labels("event").set(now.buried_events.count)
        self._buried.labels("webhook").set(now.buried_inbox.count)
        for age, standing in zip((*AGES, OLDER), now.pending, strict=True):
            self._pending.labels(age).set(standing.count)
        self._pending_age.set(max(standing.oldest_seconds for standing in now.pending))
        for status, standing in now.executions.items():
            self._executions.labels(status).set(standing.count)
            self._execution_age.labels(status).set(standing.oldest_seconds)
        _show(now.open_runs, self._open, self._open_age)
        self._people.set(now.needs_person.count)
        _show(now.unsealed, self._unsealed, self._unsealed_age)
        self._open_dispatch.set(may_dispatch)
        self._pressure.set(pressure)


class Tallies:
    """What has happened, folded in from the record after it was committed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"support_{name}", meaning, labels, registry=registry)

        def seconds(name: str, meaning: str, *labels: str) -> Histogram:
            return Histogram(f"support_{name}", meaning, labels, buckets=RUN_SECONDS, registry=registry)

        self._runs = counter("runs", "Finished runs by rung, and whether they were late.", "outcome", "late")
        self._run = seconds("run_seconds", "From a webhook's first byte to card ready; late runs apart.", "late")
        self._stage = seconds("stage_seconds", "How long a stage took.", "stage")
        self._gave_up = counter("stage_failures", "Stages that gave up, by code.", "stage", "code")
        self._calls = counter("model_calls", "Calls to language models by how they ended.", "model", "agent", "end")
        self._first = seconds("model_first_token_seconds", "Until a model's first token.", "model")
        self._tokens = counter("model_tokens", "Tokens of language models.", "model", "direction")
        self._cost = counter("model_cost_usd", "What language models cost, by the price table.", "model")
        self._steps = counter("execution_steps", "What became of executions, by way.", "way", "step", "trigger")
        self._events = counter("audit_events", "Entries of the audit by event.", "event")
        for outcome in Outcome:
            self._runs.labels(outcome, "false")

    def fold(self, new: Happenings) -> None:
        """Count these, once."""
        for event in new.events:
            self._events.labels(event).inc()
        for run in new.runs:
            self._fold_run(run)
        for step in new.executions:
            self._steps.labels(step.way, step.step, step.trigger).inc()

    def _fold_run(self, run: FinishedRun) -> None:
        if not run.child:  # what it used is counted; a person waited for the run before it
            late = str(run.late).lower()
            self._runs.labels(run.outcome, late).inc()
            self._run.labels(late).observe(run.total_ms / 1000)
        for timing in run.timings:
            self._stage.labels(timing.stage).observe(timing.took_ms / 1000)
            if timing.error is not None:
                self._gave_up.labels(timing.stage, timing.error).inc()
        for call in run.model_calls:
            self._fold_call(call)

    def _fold_call(self, call: ModelCall) -> None:
        self._calls.labels(call.model, call.agent, call.stop).inc()
        if call.first_token_ms is not None:
            self._first.labels(call.model).observe(call.first_token_ms / 1000)
        used = {"in": call.tokens_in, "out": call.tokens_out, "cached": call.tokens_cached}
        for direction, tokens in {**used, "to_cache": call.tokens_to_cache}.items():
            self._tokens.labels(call.model, direction).inc(tokens)
        self._cost.labels(call.model).inc(call.cost_micro_usd / 1_000_000)


@dataclass(frozen=True)
class Instruments:
    """All of them, in a registry of their own: two installations in one process do not share any."""

    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=False))
    requests: Requests = field(init=False)
    gauges: Gauges = field(init=False)
    tallies: Tallies = field(init=False)

    def __post_init__(self) -> None:
        """Register them."""
        object.__setattr__(self, "requests", Requests.of(self.registry))
        object.__setattr__(self, "gauges", Gauges(self.registry))
        object.__setattr__(self, "tallies", Tallies(self.registry))

    def text(self) -> bytes:
        """In Prometheus's text format 0.0.4."""
        return generate_latest(self.registry)


def _show(standing: Standing, count: Gauge, age: Gauge) -> None:
    count.set(standing.count)
    age.set(standing.oldest_seconds)

"""The same five steps written the usual way – call, wait, check – as a plain chain or a LangGraph graph; a yardstick.

`python -m tests.benchmarks.usual_way chain|langgraph --address URL --runs N --at-once K` prints one line of JSON.
Intent, retrieval, prompt and checks are the product's own; what differs is who orders the steps and keeps the state.
"""

import argparse
import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict
from uuid import uuid4

import openai

from api.asking import Question
from api.container import Container
from support_agents.agents.drafting import DraftingAgent, rendered
from support_agents.agents.intent import IntentGiven
from support_agents.agents.protocol import StreamEnd
from support_agents.agents.retrieval import RetrievalGiven
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.domain.sections import (
    ComplianceGiven,
    DraftingGiven,
    IntentSection,
    OrderAnswer,
    RetrievalSection,
    Sentence,
)
from support_agents.prompts.files import load_prompt
from support_agents.testing.llm import ScriptedModel
from tests.benchmarks.in_process import in_process, models_at, question_of
from tests.benchmarks.messages import samples

PROMISE_SECONDS = 2.0
_PATIENT = 60.0


class State(TypedDict, total=False):
    """What one step hands to the next, as JSON, so that a checkpointer can store it."""

    question: str
    intent: str
    evidence: str
    draft: str
    verdict: str
    record: str


Step = Callable[[State], Awaitable[State]]


class Steps:
    """The five steps; each reads the state and returns what it adds."""

    def __init__(self, container: Container, address: str, questions: dict[str, Question]) -> None:
        self._pipeline = container.runner.pipeline
        self._client = openai.AsyncOpenAI(api_key="k", base_url=f"{address}/v1")
        self._questions = questions
        self._prompt = load_prompt("drafting")

    async def close(self) -> None:
        await self._client.close()

    def all(self) -> tuple[Step, ...]:
        return self.intent, self.retrieval, self.drafting, self.compliance, self.record

    async def intent(self, state: State) -> State:
        question, pipeline = self._questions[state["question"]], self._pipeline
        screened = pipeline.screen(question.text, question.subject)
        (vector,) = await pipeline.embedder.embed([screened.clean_text])
        given = IntentGiven(
            text=screened.clean_text, language=screened.language, vector=vector, subject=question.subject
        )
        return {"intent": (await pipeline.intent.work(given, _run())).model_dump_json()}

    async def retrieval(self, state: State) -> State:
        question, pipeline = self._questions[state["question"]], self._pipeline
        intent = IntentSection.model_validate_json(state["intent"])
        screened = pipeline.screen(question.text, question.subject)
        (vector,) = await pipeline.embedder.embed([screened.clean_text])
        given = RetrievalGiven(
            workspace=DEFAULT_WORKSPACE,
            query=screened.clean_text,
            vector=vector,
            language=screened.language,
            asks=intent.settled_asks,
        )
        return {"evidence": (await pipeline.retrieval.work(given, _run())).model_dump_json()}

    async def drafting(self, state: State) -> State:
        prompt = rendered(self._prompt, self._given(state), _run())
        answer = await self._client.chat.completions.create(
            model="gpt-5",
            messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            max_completion_tokens=prompt.max_tokens,
            temperature=prompt.temperature,
        )
        return {"draft": answer.choices[0].message.content or ""}

    async def compliance(self, state: State) -> State:
        given = self._given(state)
        checked = ComplianceGiven(drafting=given, customer_email="", source_language=given.language)
        said = DraftingAgent(ScriptedModel((state["draft"],)), self._prompt)
        sentences = [one async for one in said.stream(given, _run()) if not isinstance(one, StreamEnd)]
        kept: list[Sentence] = []
        verdicts = []
        for at, sentence in enumerate(sentences):
            verdicts.append(self._pipeline.compliance.check(sentence, at, checked))
            kept += [sentence] if verdicts[-1].keep else []
        return {"verdict": self._pipeline.compliance.close(tuple(kept), tuple(verdicts), checked).model_dump_json()}

    async def record(self, state: State) -> State:
        return {"record": json.dumps({"draft": state["draft"], "at": time.time()})}

    def _given(self, state: State) -> DraftingGiven:
        question = self._questions[state["question"]]
        intent = IntentSection.model_validate_json(state["intent"])
        evidence = RetrievalSection.model_validate_json(state["evidence"])
        screened = self._pipeline.screen(question.text, question.subject)
        return DraftingGiven(
            text=screened.clean_text,
            subject=question.subject,
            customer_name=question.requester.name,
            language=screened.language,
            channel=question.channel.value,
            asks=intent.settled_asks,
            passages=evidence.passages,
            order=None,
            facts=(),
            actions=(),
            needs_order_id=False,
            order_answer=OrderAnswer.NOT_ASKED,
            today=self._pipeline.clock.now().date(),
        )


def _run() -> Run:
    return Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(time.monotonic() + _PATIENT), Budget())


Through = Callable[[State], Awaitable[State]]


@asynccontextmanager
async def chain(steps: Steps, folder: Path) -> AsyncIterator[Through]:
    """One step after another, and one row at the end."""
    db = sqlite3.connect(folder / "chain.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT NOT NULL)")

    async def through(state: State) -> State:
        for step in steps.all():
            state = {**state, **await step(state)}
        db.execute("INSERT INTO runs VALUES (?, ?)", (str(uuid4()), json.dumps(state)))
        return state

    try:
        yield through
    finally:
        db.close()


@asynccontextmanager
async def langgraph(steps: Steps, folder: Path) -> AsyncIterator[Through]:
    """A graph of five nodes with the durable SQLite checkpointer, as its documentation shows it."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - only where it is asked for
    from langgraph.graph import END, START, StateGraph  # noqa: PLC0415 - as above

    graph: Any = StateGraph(State)
    names = ("intent_step", "retrieval_step", "drafting_step", "compliance_step", "record_step")
    for name, step in zip(names, steps.all(), strict=True):
        graph.add_node(name, step)
    for before, after in zip((START, *names), (*names, END), strict=True):
        graph.add_edge(before, after)
    async with AsyncSqliteSaver.from_conn_string(str(folder / "graph.db")) as saver:
        compiled = graph.compile(checkpointer=saver)

        async def through(state: State) -> State:
            found: State = await compiled.ainvoke(state, {"configurable": {"thread_id": str(uuid4())}})
            return found

        yield through


async def measured(way: str, address: str, *, runs: int, at_once: int) -> dict[str, Any]:
    """Run so many messages and return the figures."""
    known = {sample.ticket: question_of(sample) for sample in samples(46, series="P")}
    tickets = list(known)
    waiting = [tickets[at % len(tickets)] for at in range(runs)]
    seconds: list[float] = []
    errors = 0
    with TemporaryDirectory(prefix="bench-") as name:
        async with in_process(46, models_at(address)) as container:
            steps = Steps(container, address, known)
            make = chain if way == "chain" else langgraph
            async with make(steps, Path(name)) as through:
                await through({"question": tickets[0]})
                began, cpu = time.monotonic(), time.process_time()

                async def customer() -> None:
                    nonlocal errors
                    while waiting:
                        ticket, started = waiting.pop(), time.monotonic()
                        try:
                            await through({"question": ticket})
                        except (openai.OpenAIError, ValueError):
                            errors += 1  # the usual way has no lower rung
                        else:
                            seconds.append(time.monotonic() - started)

                await asyncio.gather(*(customer() for _ in range(at_once)))
                wall, cpu = time.monotonic() - began, time.process_time() - cpu
            await steps.close()
    return {
        "way": way,
        "runs": runs,
        "errors": errors,
        "seconds": [round(one, 4) for one in seconds],
        "cpu_ms": cpu * 1_000 / runs,
        "runs_per_second": runs / wall,
    }


def main() -> None:
    """Measure one way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=("chain", "langgraph"))
    parser.add_argument("--address", required=True)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4)
    given = parser.parse_args()
    found = asyncio.run(measured(given.way, given.address, runs=given.runs, at_once=given.at_once))
    print(json.dumps(found))  # noqa: T201 - read by who started it


if __name__ == "__main__":
    main()

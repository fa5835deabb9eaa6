"""I5: whatever is late, refuses or breaks, a run ends inside its deadline with a typed outcome and whole sentences."""

import asyncio
from typing import Any

import pytest

from support_agents.agents.compliance import ComplianceAgent
from support_agents.domain.action import SendReply
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.sections import Rung, Verdict, written
from support_agents.policy.steps import STEPS
from support_agents.ports import Completed, StopReason
from support_agents.testing.llm import Pause
from tests.fixtures.pipeline import ASKS_FOR_MONEY, SECONDS, Parts, a_run, ran, ticket
from tests.fixtures.still_time import seconds_now

pytestmark = pytest.mark.still_time

# The clock stands still while there is work, so nothing but a wait makes a run longer.
MARGIN = 1e-6
LATE, REFUSES, BREAKS = "late", "refuses", "breaks"
GREETING = "Hello Anna Müller,\n\n"
WHOLE = "You can return an item within 30 days of delivery [1]. The item must be unused [1]. "
ENDLESS = (GREETING, WHOLE, "And so ", *(step for _ in range(2_000) for step in ("and on ", Pause(0.01))))
QUESTION = "Can I return an item, and within how many days of delivery?"


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """What is read and compiled on first use is not what these deadlines are about."""
    ran(Parts(), ticket(), seconds=30)
    ran(Parts(), ticket(QUESTION), seconds=30)


async def failing(how: str) -> None:
    """Fail in one of three ways."""
    if how == LATE:
        await asyncio.sleep(30)
    if how == REFUSES:
        raise SupportError("out_of_order", "a part refused")
    raise ZeroDivisionError("the customer's words must not be on record from here")


class Faulty:
    """Any collaborator: `method` fails, asynchronously, and everything else is the real one's."""

    def __init__(self, real: object, method: str, how: str) -> None:
        self._real, self._method, self._how = real, method, how

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._method else getattr(self._real, name)

    async def _fail(self, *_: object, **__: object) -> None:
        await failing(self._how)


class Streamless:
    """A drafter that fails before its first sentence."""

    def __init__(self, how: str) -> None:
        self._how = how

    async def stream(self, *_: object) -> Any:
        await failing(self._how)
        yield None


class BrokenCheck(ComplianceAgent):
    """A compliance agent with a defect."""

    def check(self, *_: object) -> Any:
        raise ZeroDivisionError


class BrokenClose(ComplianceAgent):
    """A compliance agent that breaks at the end."""

    def close(self, *_: object) -> Any:
        raise SupportError("out_of_order", "no verdict")


def broken(*_: object) -> Any:
    raise ZeroDivisionError


async def record_of(parts: Parts, text: str = ASKS_FOR_MONEY, *, seconds: float = SECONDS) -> RunRecord:
    """Run within the deadline and check what holds for every record."""
    runner = await parts.runner()
    began = seconds_now()
    record = await runner.run(ticket(text), a_run(seconds))
    assert seconds_now() - began < seconds + MARGIN
    assert_whole(record)
    return record


def assert_whole(record: RunRecord) -> None:
    """A typed outcome; a reply made of whole sentences if there is one, a reason in words if there is not."""
    assert isinstance(record.outcome, Outcome)
    replies = [action for action in record.actions if isinstance(action, SendReply)]
    assert len(replies) == record.outcome.has_draft
    assert record.reason or record.outcome.has_draft
    draft = record.sections.draft
    if not record.outcome.has_draft:
        return
    assert draft is not None
    assert record.sections.compliance is not None
    assert record.sections.compliance.verdict is not Verdict.BLOCKED
    assert replies[0].text == draft.text == written(draft.sentences)
    assert all(sentence.text[-1] in ".!?…,:\"'”)" or sentence.courtesy for sentence in draft.sentences), draft.text


def faults(record: RunRecord) -> dict[str, str]:
    return {timing.stage: timing.error for timing in record.timings if timing.error}


async def faulty(field: str, method: str, how: str) -> Parts:
    """The usual parts, of which one fails."""
    real = getattr((await Parts().runner()).pipeline, field)
    return Parts(replaced={field: Faulty(real, method, how)})


async def test_i5_with_nothing_wrong_there_is_a_checked_reply_and_a_refund() -> None:
    record = await record_of(Parts())
    assert record.outcome is Outcome.EXTRACTIVE
    assert [action.kind for action in record.actions] == ["send_reply", "issue_refund"]
    assert faults(record) == {}
    assert not record.late


STAGES = {
    "embedding": ("embedder", "embed", {Outcome.HANDED_OFF}),
    "intent": ("intent", "work", {Outcome.HANDED_OFF}),
    "orders": ("orders", "find", {Outcome.HANDED_OFF}),
    "retrieval": ("retrieval", "work", {Outcome.EXTRACTIVE, Outcome.HANDED_OFF}),
}
CODES = {LATE: "late", REFUSES: "out_of_order", BREAKS: "bug:ZeroDivisionError"}


@pytest.mark.parametrize("how", CODES)
@pytest.mark.parametrize("stage", STAGES)
async def test_i5_a_stage_that_fails_lowers_the_rung_and_is_on_record(stage: str, how: str) -> None:
    field, method, outcomes = STAGES[stage]
    record = await record_of(await faulty(field, method, how))
    assert record.outcome in outcomes
    assert faults(record)[stage].startswith(CODES[how])
    assert "customer's words" not in record.model_dump_json()


@pytest.mark.parametrize("how", CODES)
async def test_i5_the_listing_of_orders_may_fail(how: str) -> None:
    parts = await faulty("orders", "list_theirs", how)
    record = await record_of(parts, "Please refund my money.")
    assert record.outcome is Outcome.HANDED_OFF
    assert faults(record)["orders of requester"].startswith(CODES[how])


@pytest.mark.parametrize("how", CODES)
async def test_i5_a_drafter_that_fails_leaves_the_evidence(how: str) -> None:
    record = await record_of(Parts(replaced={"drafting": Streamless(how)}), QUESTION)
    assert record.outcome is Outcome.EVIDENCE
    assert record.sections.retrieval is not None
    assert record.sections.retrieval.passages


@pytest.mark.parametrize("how", CODES)
async def test_i5_a_drafter_that_fails_gives_way_to_the_spare_one(how: str) -> None:
    record = await record_of(Parts(replaced={"drafting": Streamless(how)}, spare=True), QUESTION)
    assert record.outcome is Outcome.EXTRACTIVE
    assert record.reason


@pytest.mark.parametrize("check", [BrokenCheck(), BrokenClose()])
async def test_i5_without_a_verdict_nothing_is_proposed_to_be_said(check: ComplianceAgent) -> None:
    record = await record_of(Parts(replaced={"compliance": check}), QUESTION)
    assert record.outcome is Outcome.EVIDENCE
    assert record.sections.draft is None


async def test_i5_a_screening_that_breaks_hands_off_before_anything_is_read() -> None:
    record = await record_of(Parts(replaced={"screen": broken}))
    assert record.outcome is Outcome.HANDED_OFF
    assert record.sections.intent is None
    assert faults(record)["screening"].startswith("bug:ZeroDivisionError")


async def test_i5_a_plan_that_breaks_hands_off() -> None:
    class BrokenPolicy:
        offered = STEPS
        clauses_for = staticmethod(broken)

    record = await record_of(Parts(replaced={"policy": BrokenPolicy()}))
    assert record.outcome is Outcome.HANDED_OFF
    assert faults(record)["planning"].startswith("bug:ZeroDivisionError")


async def test_i5_a_slow_model_gives_way_to_the_spare_drafter() -> None:
    record = await record_of(Parts(script=(Pause(20), WHOLE), spare=True), QUESTION)
    assert record.outcome is Outcome.EXTRACTIVE
    assert "time" in record.reason
    assert [call.stop for call in record.model_calls] == ["complete", "abandoned"], "I9: also a call that was cut"


async def test_i5_a_model_that_never_stops_talking_is_not_waited_for() -> None:
    record = await record_of(Parts(script=ENDLESS), QUESTION)
    assert record.outcome is Outcome.SHORTENED
    assert "and on" not in record.actions[0].model_dump_json()


@pytest.mark.parametrize(
    "cut",
    [
        (Pause(20),),
        (SupportError("llm_connection", "the line went dead", retryable=True),),
        (Completed(StopReason.CUT),),
        (Completed(StopReason.MAX_TOKENS),),
        (Completed(StopReason.REFUSED),),
    ],
    ids=["silence", "error", "cut", "tokens", "refused"],
)
async def test_i5_a_cut_stream_is_shortened_to_its_last_whole_sentence(cut: tuple[Any, ...]) -> None:
    record = await record_of(Parts(script=(GREETING, WHOLE, "After that, only fau", *cut)), QUESTION)
    assert record.outcome is Outcome.SHORTENED
    draft = record.sections.draft
    assert draft is not None
    assert draft.rung is Rung.SHORTENED
    assert draft.text.endswith("The item must be unused.\n\nKind regards,\nCustomer Care")
    assert "only fau" not in draft.text
    assert [call.model for call in record.model_calls] == ["scripted"], (
        "a cut call was made and paid for like any other"
    )


async def test_i5_too_short_a_stump_is_not_shown() -> None:
    record = await record_of(Parts(script=(GREETING, "The item must be unused [1]. The", Pause(20))), QUESTION)
    assert record.outcome is Outcome.EVIDENCE
    assert record.sections.draft is None


HOSTILE = {
    "promise": "We will refund you €5,000 tomorrow [1].",
    "refund as done": "Your refund of €64.90 has been made [action.refund].",
    "invented number": "You can return an item within 300 days of delivery [1].",
    "citation of nothing": "Everything is free of charge for ever [9].",
    "no citation": "Our chief executive will visit you at home.",
    "another address": "Please write to mallory@evil.example for your money [1].",
    "a link": "Confirm your card at https://evil.example/pay [1].",
    "order fact unknown": "Your parcel was delivered yesterday [order.delivered_on].",
}


@pytest.mark.parametrize("lie", HOSTILE.values(), ids=HOSTILE.keys())
async def test_i5_what_a_hostile_model_makes_up_never_reaches_the_reply(lie: str) -> None:
    parts = Parts(script=(GREETING, WHOLE, lie, " Kind regards, support"), orders={})
    record = await record_of(parts, QUESTION)
    told = lie.partition(" [")[0]
    draft = record.sections.draft
    assert draft is None or told not in draft.text
    assert all(told not in action.model_dump_json() for action in record.actions)


@pytest.mark.parametrize(
    "said", ["", "   \n\n", "[1] [2] [order.status]", "…", "Hello", "\0\ud7ff\u202e", "a" * 50_000]
)
async def test_i5_a_model_that_says_nothing_of_use_leaves_the_evidence(said: str) -> None:
    record = await record_of(Parts(script=(said,)), QUESTION)
    assert record.outcome is Outcome.EVIDENCE


@pytest.mark.parametrize("spare", [False, True])
async def test_i5_a_deadline_that_has_passed_ends_the_run_at_once(spare: bool) -> None:  # noqa: FBT001 - a case
    runner = await Parts(script=(WHOLE,), spare=spare).runner()
    began = seconds_now()
    record = await runner.run(ticket(), a_run(-1.0))
    assert seconds_now() - began < MARGIN
    assert_whole(record)
    assert record.late


async def test_i5_a_run_that_was_resumed_counts_as_late() -> None:
    runner = await Parts().runner()
    assert (await runner.run(ticket(), a_run(), resumed=True)).late


@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.1, 0.3])
async def test_i5_any_deadline_is_kept(seconds: float) -> None:
    await record_of(Parts(script=ENDLESS, spare=True), QUESTION, seconds=seconds)


async def test_i5_nothing_goes_on_after_the_run() -> None:
    before = asyncio.all_tasks()
    await record_of(Parts(script=(GREETING, WHOLE, Pause(20)), spare=True), QUESTION)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_i5_a_run_that_is_cancelled_stops() -> None:
    runner = await Parts(script=(Pause(20),)).runner()
    doing = asyncio.ensure_future(runner.run(ticket(QUESTION), a_run(30)))
    await asyncio.sleep(0.05)
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing


@pytest.mark.parametrize("text", ["", " ", "\n", "?", "\0", "\u202e" * 40, "🙂" * 300, "x " * 20_000, "<b>" * 2_000])
async def test_i5_a_message_without_sense_ends_like_any_other(text: str) -> None:
    await record_of(Parts(), text, seconds=3.0)


async def test_i5_a_defect_between_the_stages_hands_the_ticket_to_a_person() -> None:
    record = await record_of(Parts(replaced={"shares": None}))
    assert record.outcome is Outcome.HANDED_OFF
    assert record.timings[-1].stage == "run"
    assert (record.timings[-1].error or "").startswith("bug:AttributeError")

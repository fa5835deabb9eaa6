"""A draft with high stakes is argued about in what is left of the time; the judge's word decides what is shown."""

import pytest

from support_agents.agents.debate import DebateAgent
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.sections import CheckResult, Verdict
from support_agents.policy.check_policy import DebateRules
from support_agents.testing.llm import Pause, ScriptedModel, Step
from tests.fixtures.pipeline import Parts, ran, ticket

PLAIN = "Can I return an item, and within how many days of delivery?"
QUESTION = "Can I return an item, and within how many days of delivery? It was for a wedding."
RULES = DebateRules(words=("wedding",))


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """What is read and compiled on first use is not what these deadlines are about."""
    ran(Parts(), ticket(PLAIN), seconds=60)


def argued(*script: Step, seconds: float = 30, text: str = QUESTION) -> RunRecord:
    agent = DebateAgent(RULES, ScriptedModel(script))
    return ran(Parts(replaced={"debate": agent}), ticket(text), seconds=seconds)


def verdict(record: RunRecord) -> tuple[Verdict, str]:
    compliance = record.sections.compliance
    assert compliance is not None
    reasons = [check.reason for check in compliance.checks if check.name == "debate"]
    return compliance.verdict, reasons[0] if reasons else "not argued about"


def test_a_draft_that_the_judge_sends_keeps_its_verdict() -> None:
    record = argued("SEND. Passage 1 bears it.")
    assert record.outcome is Outcome.EXTRACTIVE
    assert verdict(record) == (Verdict.PASS, "")
    assert "debate" in [timing.stage for timing in record.timings]


def test_a_flag_is_told_to_whoever_approves() -> None:
    record = argued("FLAG. A wedding cannot be had again.")
    assert record.outcome is Outcome.EXTRACTIVE
    assert verdict(record) == (Verdict.FLAGGED, "the customer writes “wedding”; A wedding cannot be had again.")


def test_a_blocked_draft_is_not_proposed_but_on_record() -> None:
    record = argued("BLOCK. It is no answer to a loss.")
    assert (record.outcome, record.actions) == (Outcome.EVIDENCE, ())
    assert verdict(record)[0] is Verdict.BLOCKED
    assert record.sections.draft is not None


def test_what_is_not_decided_in_time_is_flagged_and_the_draft_stands() -> None:
    record = argued(Pause(60), "SEND", seconds=3)
    assert record.outcome is Outcome.EXTRACTIVE
    word, reason = verdict(record)
    assert word is Verdict.FLAGGED
    assert reason.startswith("the customer writes “wedding”, and ")


def test_nobody_argues_about_a_plain_question() -> None:
    record = argued("BLOCK", text=PLAIN)
    assert verdict(record) == (Verdict.PASS, "not argued about")
    assert record.sections.compliance is not None
    assert all(check.result is CheckResult.PASSED for check in record.sections.compliance.checks)

"""Two reviews and a judge: which drafts they argue about, what the judge's word becomes, and that it always ends."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from support_agents.agents.debate import DebateAgent, DebateGiven
from support_agents.agents.delegation import DelegationPath
from support_agents.domain.action import ClauseRef, IssueRefund
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money
from support_agents.domain.runs import Delegate, Run
from support_agents.domain.sections import Check, CheckResult, Severity
from support_agents.policy.check_policy import DebateRules
from support_agents.ports import Completed, Prompt, StopReason, TextDelta
from support_agents.testing.llm import Pause, ScriptedModel
from tests.fixtures.drafting import RETURNS, a_run, drafting_given, passage
from tests.fixtures.still_time import seconds_now

RULES = DebateRules(refund_over_minor={"EUR": 5_000}, intents=("complaint",), words=("lawyer", "Anwalt"), rounds=2)
STAKES = "the customer writes “lawyer”"


@dataclass(frozen=True)
class Panel:
    """`LanguageModel` that answers by the prompt it is given and keeps what it was asked."""

    verdict: str
    name: str = "panel"
    asked: list[Prompt] = field(default_factory=list)

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        del run
        self.asked.append(prompt)
        answers: Mapping[str, str] = {
            "debate_send": "Passage 1 bears it.",
            "debate_block": "It promises too much.",
            "debate_judge": self.verdict,
        }
        yield TextDelta(answers[prompt.version.partition(".")[0]])
        yield Completed(StopReason.COMPLETE)


def given(text: str = "My lawyer will hear of this. Write to me at anna@example.com.") -> DebateGiven:
    drafting = drafting_given(text, "complaint", passages=(passage(RETURNS),))
    return DebateGiven(drafting=drafting, draft="You can return an item.", stakes=STAKES)


def refund(minor: int) -> IssueRefund:
    return IssueRefund(
        order_id="HW-1",
        order_version="v1",
        payment_ref="PAY-1",
        account_last4="6031",
        amount=Money(minor=minor, currency="EUR"),
        clauses=(ClauseRef(id="returns", version=1),),
    )


async def argued(verdict: str, run: Run | None = None) -> tuple[Check, list[Prompt]]:
    panel = Panel(verdict)
    return await DebateAgent(RULES, panel).work(given(), run or a_run()), panel.asked


def test_stakes_are_high_by_refund_intent_or_word() -> None:
    agent = DebateAgent(RULES, None)
    assert "€50.01" in agent.stakes(drafting_given("Hi", actions=(refund(5_001),)))
    assert agent.stakes(drafting_given("Hi", actions=(refund(5_000),))) == ""
    assert agent.stakes(drafting_given("Hi", "complaint")) == "it is about “complaint”"
    assert agent.stakes(drafting_given("Mein ANWALT meldet sich.", language="de")) == "the customer writes “anwalt”"
    assert agent.stakes(drafting_given("Where is it?", "order_status")) == ""


@pytest.mark.parametrize(
    ("said", "result", "severity", "reason"),
    [
        ("SEND. The passage bears it.", CheckResult.PASSED, Severity.FLAG, ""),
        ("FLAG: check the date.", CheckResult.FAILED, Severity.FLAG, f"{STAKES}; check the date."),
        (
            "**BLOCK** – it promises too much.",
            CheckResult.FAILED,
            Severity.BLOCK,
            f"{STAKES}; it promises too much.",
        ),
        ("BLOCK", CheckResult.FAILED, Severity.BLOCK, f"{STAKES}; no reason given"),
        ("I would send it.", CheckResult.FAILED, Severity.FLAG, f"{STAKES}, and the judge gave no verdict"),
        ("", CheckResult.FAILED, Severity.FLAG, f"{STAKES}, and the judge gave no verdict"),
    ],
)
async def test_the_judges_word_becomes_a_check(said: str, result: CheckResult, severity: Severity, reason: str) -> None:
    check, _ = await argued(said)
    assert (check.result, check.severity, check.reason) == (result, severity, reason)


async def test_each_side_hears_the_other_and_no_model_hears_an_address() -> None:
    _, asked = await argued("SEND")
    versions = sorted(prompt.version for prompt in asked)
    assert versions == ["debate_block.1", "debate_block.1", "debate_judge.1", "debate_send.1", "debate_send.1"]
    assert all("It promises too much." not in prompt.user for prompt in asked[:2])
    assert all("It promises too much." in prompt.user for prompt in asked[2:])
    assert all("anna@example.com" not in prompt.user for prompt in asked)
    assert all(prompt.max_tokens <= RULES.tokens and prompt.agent == "compliance" for prompt in asked)


async def test_rounds_fit_the_budget_and_none_is_begun_without() -> None:
    run = a_run()
    one = replace(run, budget=Budget(tokens={"compliance": 60 + 2 * RULES.tokens}))
    assert len((await argued("SEND", one))[1]) == 3
    none = replace(run, budget=Budget(tokens={"compliance": 100}))
    check, asked = await argued("SEND", none)
    assert (asked, check.severity) == ([], Severity.FLAG)
    assert "budget_spent" in check.reason


async def test_a_budget_without_depth_ends_in_a_flag() -> None:
    check, asked = await argued("SEND", replace(a_run(), budget=Budget(max_depth=0)))
    assert (asked, check.result) == ([], CheckResult.FAILED)
    assert "too_deep" in check.reason


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ((Pause(30), "SEND"), "no time"),
        ((SupportError("llm_unavailable", "down"),), "llm_unavailable"),
        ((Completed(StopReason.REFUSED),), "llm_stopped"),
    ],
)
@pytest.mark.still_time
async def test_what_does_not_end_in_time_is_flagged(script: tuple[object, ...], told: str) -> None:
    model = ScriptedModel(script)  # type: ignore[arg-type] # each is one of its steps
    run = replace(a_run(), deadline=Deadline(seconds_now() + 0.2, seconds_now))
    check = await DebateAgent(RULES, model).work(given(), run)
    assert (check.result, check.severity) == (CheckResult.FAILED, Severity.FLAG)
    assert told in check.reason or "llm_timeout" in check.reason


async def test_without_a_model_the_approver_is_told() -> None:
    check = await DebateAgent(RULES, None).work(given(), a_run())
    assert check.reason == f"{STAKES}, and there is no model to argue about it"


def test_a_path_never_comes_back_and_never_gets_deeper_than_allowed() -> None:
    path = DelegationPath(("compliance",)).to(Delegate(to="reviews", reason="stakes"), Budget())
    with pytest.raises(SupportError, match="compliance → reviews → compliance") as loop:
        path.to(Delegate(to="compliance", reason="again"), Budget())
    assert loop.value.code == "loop_detected"
    with pytest.raises(SupportError, match="compliance → reviews → judge") as deep:
        path.to(Delegate(to="judge", reason="end"), Budget(max_depth=1))
    assert deep.value.code == "too_deep"
    assert path.to(Delegate(to="judge", reason="end"), Budget(max_depth=2)).agents == ("compliance", "reviews", "judge")

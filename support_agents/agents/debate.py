"""Two reviews argue about a draft with high stakes and a judge decides; it can only make a verdict stricter."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from secrets import token_bytes
from typing import cast

from pydantic import BaseModel, ConfigDict

from support_agents import linear
from support_agents.agents.checks.listing import first_listed
from support_agents.agents.delegation import DelegationPath
from support_agents.domain.action import IssueRefund
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Delegate, Run
from support_agents.domain.sections import Check, CheckResult, DraftingGiven, Severity
from support_agents.policy.check_policy import DebateRules
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta
from support_agents.prompts.files import PromptFile, load_prompt
from support_agents.screening.pii import mask

NAME = "debate"
_AGENT = "compliance"
_JUDGE_TOKENS = 60
_LONGEST_ANSWER, _LONGEST_REASON = 4_000, 200
_VERDICT = linear.compile(r"^\W*(SEND|FLAG|BLOCK)\b[\s*_:.,–—-]*((?s:.*))$")
_SEVERITIES = {"FLAG": Severity.FLAG, "BLOCK": Severity.BLOCK}


class DebateGiven(BaseModel):
    """The draft, what it may rest on, and why its stakes are high."""

    model_config = ConfigDict(frozen=True)

    drafting: DraftingGiven
    draft: str
    stakes: str


@dataclass(frozen=True)
class _Case:
    """One debate: the texts without personal identifiers, and what has been argued so far."""

    values: dict[str, str]
    run: Run
    tokens: int


@dataclass(frozen=True)
class DebateAgent:
    """`Agent[DebateGiven, Check]`; without a model, time or tokens the draft is flagged for whoever approves it."""

    rules: DebateRules
    model: LanguageModel | None

    def stakes(self, given: DraftingGiven) -> str:
        """Return why a draft for this message is argued about, in a person's words; empty when it is not."""
        limits = self.rules.refund_over_minor
        for action in given.actions:
            if isinstance(action, IssueRefund) and action.amount.minor > limits.get(
                action.amount.currency, action.amount.minor
            ):
                return f"the refund of {action.amount} is a high one"
        intent = next((ask.intent.name for ask in given.asks if ask.intent.name in self.rules.intents), "")
        if intent:
            return f"it is about “{intent.replace('_', ' ')}”"
        said = first_listed(f"{given.subject}\n{given.text}", self.rules.words)
        return f"the customer writes “{said}”" if said else ""

    async def work(self, given: DebateGiven, run: Run) -> Check:
        """Return the judge's word as a check on the whole draft; never later than `run.deadline`, never an error."""
        if self.model is None:
            return _flag(f"{given.stakes}, and there is no model to argue about it")
        try:
            async with asyncio.timeout(run.deadline.remaining):
                return await self._argued(self.model, given, run)
        except TimeoutError:
            return _flag(f"{given.stakes}, and there was no time to argue about it")
        except SupportError as error:
            return _flag(f"{given.stakes}, and the reviews did not end ({error.code})")

    async def _argued(self, model: LanguageModel, given: DebateGiven, run: Run) -> Check:
        left = run.budget.tokens.get(_AGENT, 0) - _JUDGE_TOKENS
        rounds = min(self.rules.rounds, left // (2 * self.rules.tokens))
        if rounds < 1:
            raise SupportError("budget_spent", "the budget of compliance does not allow a debate")
        path = DelegationPath((_AGENT,)).to(Delegate(to="reviews", reason=given.stakes), run.budget)
        case = _Case(_masked(given), run, self.rules.tokens)
        send = block = "nothing yet"
        for _ in range(rounds):
            texts = {**case.values, "for_sending": send, "against": block}
            send, block = await asyncio.gather(
                *(_asked(model, load_prompt(name), texts, case) for name in ("debate_send", "debate_block"))
            )
        path.to(Delegate(to="judge", reason=given.stakes), run.budget)
        texts = {**case.values, "for_sending": send, "against": block}
        return _judged(given.stakes, await _asked(model, load_prompt("debate_judge"), texts, case))


def _masked(given: DebateGiven) -> dict[str, str]:
    """The texts of the prompts; one salt for all, so that a value has one placeholder."""
    salt = token_bytes(16)
    drafting = given.drafting
    passages = "\n\n".join(found.passage.text for found in drafting.passages) or "none"
    actions = "\n".join(action.kind for action in drafting.actions) or "none"
    values = {"draft": given.draft, "text": drafting.text, "passages": passages, "actions": actions}
    return {"stakes": given.stakes, **{name: mask(value, salt).text for name, value in values.items()}}


async def _asked(model: LanguageModel, prompt: PromptFile, values: dict[str, str], case: _Case) -> str:
    """Return what the model answers, cut at the longest answer that is read."""
    system, user = prompt.render(values)
    call = Prompt(
        agent=_AGENT,
        version=prompt.identity,
        system=system,
        user=user,
        max_tokens=min(prompt.max_tokens, case.tokens),
        temperature=prompt.temperature,
    )
    said = ""
    stream = cast("AsyncGenerator[TextDelta | Completed]", model.stream(call, case.run))
    async with aclosing(stream):
        async for item in stream:
            if isinstance(item, Completed):
                if item.stop not in {StopReason.COMPLETE, StopReason.MAX_TOKENS}:
                    raise SupportError("llm_stopped", f"the model stopped: {item.stop.value}")
                break
            said += item.text
            if len(said) > _LONGEST_ANSWER:
                break
    return said[:_LONGEST_ANSWER].strip()


def _judged(stakes: str, answer: str) -> Check:
    match = _VERDICT.search(answer)
    if match is None:
        return _flag(f"{stakes}, and the judge gave no verdict")
    severity = _SEVERITIES.get(match.group(1))
    if severity is None:
        return Check(name=NAME, result=CheckResult.PASSED, severity=Severity.FLAG)
    why = " ".join(str(match.group(2)).split())[:_LONGEST_REASON]
    return Check(
        name=NAME, result=CheckResult.FAILED, severity=severity, reason=f"{stakes}; {why or 'no reason given'}"
    )


def _flag(reason: str) -> Check:
    return Check(name=NAME, result=CheckResult.FAILED, severity=Severity.FLAG, reason=reason)

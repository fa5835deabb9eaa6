"""A small language model's word on a message that the intent model does not know; it is asked about no other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.errors import SupportError
from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.domain.runs import Run
from support_agents.llm.structured import StructuredModel
from support_agents.ports import Prompt
from support_agents.prompts.files import load_prompt

# Seconds that it may take, and that must remain for a draft after it; what is later than that is not waited for.
PATIENCE, LEFT_FOR_DRAFTING = 0.5, 1.0
SURE_ENOUGH = 0.7
_LONGEST = 2_000
_AGENT = "intent"


class Opinion(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(frozen=True)

    intent: str
    sure: float = Field(ge=0, le=1)


@dataclass(frozen=True)
class IntentOpinion:
    """Asks for one of the names that the intent model knows; whatever goes wrong, there is no opinion.

    `model` keeps personal data in the house and stays within the tokens of the agent `intent`.
    """

    model: StructuredModel

    @property
    def name(self) -> str:
        """The model that gives it, for the record."""
        return self.model.model.name

    async def of(self, text: str, subject: str, language: str, *, known: Sequence[str], run: Run) -> IntentScore | None:
        """Return the kind of request, or None: not sure, not in time, none of `known`, or no answer at all."""
        seconds = min(PATIENCE, run.deadline.remaining - LEFT_FOR_DRAFTING)
        if seconds <= 0:
            return None
        try:
            async with asyncio.timeout(seconds):
                opinion = await self.model.ask(_prompt(text, subject, language, known), run, Opinion)
        except (SupportError, TimeoutError):
            return None
        if opinion.intent not in known or opinion.intent == UNKNOWN or opinion.sure < SURE_ENOUGH:
            return None
        return IntentScore(name=opinion.intent, probability=opinion.sure)


def _prompt(text: str, subject: str, language: str, known: Sequence[str]) -> Prompt:
    file = load_prompt("intent_opinion")
    values = {"names": ", ".join(known), "subject": subject[:_LONGEST], "language": language, "text": text[:_LONGEST]}
    system, user = file.render(values)
    return Prompt(agent=_AGENT, version=file.identity, system=system, user=user, max_tokens=file.max_tokens)

"""A language model that says what a test wrote for it; it opens no socket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.ports import Completed, Prompt, StopReason, TextDelta


@dataclass(frozen=True)
class Pause:
    """A wait of so many seconds before the next item."""

    seconds: float


Step = str | Pause | SupportError | Completed


@dataclass(frozen=True)
class ScriptedModel:
    """`LanguageModel` that plays `script`: text, pauses, an error to raise; complete at the end unless it says how.

    `prompts` collects what it was asked, in order.
    """

    script: Sequence[Step]
    name: str = "scripted"
    prompts: list[Prompt] = field(default_factory=list)

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Play the script from its start, also when called again; the run's deadline ends a pause."""
        self.prompts.append(prompt)
        words = 0
        for step in self.script:
            match step:
                case str():
                    words += len(step.split())
                    yield TextDelta(step)
                case Pause():
                    await _pause(step.seconds, run)
                case SupportError():
                    raise step
                case Completed():
                    yield step
                    return
        yield Completed(StopReason.COMPLETE, tokens_in=len(prompt.user.split()), tokens_out=words)


async def _pause(seconds: float, run: Run) -> None:
    await asyncio.sleep(min(seconds, run.deadline.remaining))
    if run.deadline.passed:
        raise SupportError("llm_timeout", "the script paused past the deadline", retryable=True)

"""A small language model's word on which passages answer a message; it can only take away what was doubtful."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from support_agents.domain.errors import SupportError
from support_agents.domain.knowledge import Audience, RetrievedPassage
from support_agents.domain.runs import Run
from support_agents.llm.structured import StructuredModel
from support_agents.ports import Prompt
from support_agents.prompts.files import load_prompt

# Seconds that it may take, and that must remain for a draft after it.
PATIENCE, LEFT_FOR_DRAFTING = 0.4, 1.2
# A passage below this is doubtful; what is surer is not asked about.
DOUBTFUL = 0.5
_LONGEST_MESSAGE, _LONGEST_PASSAGE = 2_000, 700
_AGENT = "retrieval"


class Answering(BaseModel):
    """What the model answers: numbers of passages, from 1."""

    model_config = ConfigDict(frozen=True)

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class EvidenceJudge:
    """Asks about the public passages; whatever goes wrong, all of them stay."""

    model: StructuredModel

    async def answering(self, text: str, found: Sequence[RetrievedPassage], run: Run) -> tuple[RetrievedPassage, ...]:
        """Return `found` without the doubtful passages that do not answer; in the order in which they came."""
        public = [one for one in found if one.passage.audience is Audience.PUBLIC]
        seconds = min(PATIENCE, run.deadline.remaining - LEFT_FOR_DRAFTING)
        if seconds <= 0 or not any(_is_doubtful(one) for one in public):
            return tuple(found)
        try:
            async with asyncio.timeout(seconds):
                said = await self.model.ask(_prompt(text, public), run, Answering)
        except (SupportError, TimeoutError):
            return tuple(found)
        named = {public[number - 1].passage.id for number in said.numbers if 0 < number <= len(public)}
        return tuple(one for one in found if one not in public or not _is_doubtful(one) or one.passage.id in named)


def _is_doubtful(found: RetrievedPassage) -> bool:
    return found.addresses is not None and found.addresses < DOUBTFUL


def _prompt(text: str, passages: Sequence[RetrievedPassage]) -> Prompt:
    file = load_prompt("evidence_judge")
    shown = "\n\n".join(
        f"[{number}] {one.passage.title} – {one.passage.text[:_LONGEST_PASSAGE]}"
        for number, one in enumerate(passages, start=1)
    )
    system, user = file.render({"text": text[:_LONGEST_MESSAGE], "passages": shown})
    return Prompt(agent=_AGENT, version=file.identity, system=system, user=user, max_tokens=file.max_tokens)

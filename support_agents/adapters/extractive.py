"""The model that writes nothing of its own: replies composed of verified facts and quoted sentences, streamed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from support_agents.adapters.remembering import RememberingEmbedder
from support_agents.composing.candidates import candidates_of
from support_agents.composing.reply import compose
from support_agents.composing.selection import Matrix
from support_agents.domain.errors import SupportError
from support_agents.domain.knowledge import Passage
from support_agents.domain.runs import Run
from support_agents.ports import Completed, Embedder, Prompt, StopReason, TextDelta
from support_agents.wording.outlines import all_lines

_AT_ONCE = 16


@dataclass(frozen=True)
class SentenceVectors:
    """How alike sentences are; those of passages and outlines are embedded once and remembered."""

    embedder: Embedder
    memory: RememberingEmbedder = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "memory", RememberingEmbedder(self.embedder))

    async def similarity(self, left: Sequence[str], right: Sequence[str]) -> Matrix:
        """Cosines, shape (len(left), len(right)); those of articles and outlines are remembered, a customer's not."""
        embed = self.memory.embed if _ours().issuperset(left) else self.memory.passing
        rows, columns = await embed(left), await self.memory.embed(right)
        return np.asarray(rows @ columns.T, dtype=np.float32)

    async def warm(self, passages: Sequence[Passage], background: Embedder) -> None:
        """Embed what drafts compare – our own outlines, then the sentences of `passages` – ahead of the first message.

        `background` lets messages go first; a sentence that was not reached is embedded when a message needs it.
        """
        texts = list(all_lines())
        texts += [text for passage in passages for one in candidates_of(passage, 0) for text in one.compared]
        for start in range(0, len(texts), _AT_ONCE):
            await self.memory.learn(texts[start : start + _AT_ONCE], background)


@cache
def _ours() -> frozenset[str]:
    return frozenset(all_lines())


@dataclass(frozen=True)
class ExtractiveModel:
    """`LanguageModel` that streams its reply with the same marks as any other; without vectors it compares words."""

    sentences: SentenceVectors | None = None

    @property
    def name(self) -> str:
        """As recorded."""
        return "extractive"

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield the reply by paragraph; nothing but `Completed` when there is no answer worth sending."""
        del run  # its work is bounded by the passages it is given
        if prompt.given is None:
            raise SupportError("no_facts", "the extractive model composes from the typed facts of a prompt")
        similarity = self.sentences.similarity if self.sentences is not None else None
        reply = await compose(prompt.given, similarity)
        for paragraph in reply.splitlines(keepends=True):
            yield TextDelta(paragraph)
        yield Completed(StopReason.COMPLETE)

"""The model that writes nothing of its own: replies composed of verified facts and quoted sentences, streamed."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from support_agents.composing.candidates import candidates_of
from support_agents.composing.reply import compose
from support_agents.composing.selection import Matrix
from support_agents.domain.errors import SupportError
from support_agents.domain.knowledge import Passage
from support_agents.domain.runs import Run
from support_agents.ports import Completed, Embedder, Prompt, StopReason, TextDelta, Vector

_REMEMBERED = 20_000


@dataclass
class SentenceVectors:
    """Sentence embeddings, each computed once and remembered while there is room."""

    embedder: Embedder
    _known: OrderedDict[str, Vector] = field(default_factory=OrderedDict)

    async def similarity(self, left: Sequence[str], right: Sequence[str]) -> Matrix:
        """Cosines, shape (len(left), len(right))."""
        rows, columns = await self.vectors(left), await self.vectors(right)
        return np.asarray(rows @ columns.T, dtype=np.float32)

    async def vectors(self, texts: Sequence[str], *, embedder: Embedder | None = None) -> Vector:
        """Return one row a text; only texts not seen lately are embedded."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            made = await (embedder or self.embedder).embed(fresh)
            self._known.update(zip(fresh, made, strict=True))
        rows = np.stack([self._known[text] for text in texts])
        for text in texts:
            self._known.move_to_end(text)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return rows


@dataclass(frozen=True)
class ExtractiveModel:
    """`LanguageModel` that streams its reply with the same marks as any other; without vectors it compares words."""

    sentences: SentenceVectors | None = None

    @property
    def name(self) -> str:
        """As recorded."""
        return "extractive"

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:  # noqa: ARG002 - the port's shape; this model is bounded by its input
        """Yield the reply by paragraph; nothing but `Completed` when there is no answer worth sending."""
        if prompt.given is None:
            raise SupportError("no_facts", "the extractive model composes from the typed facts of a prompt")
        similarity = self.sentences.similarity if self.sentences is not None else None
        reply = await compose(prompt.given, similarity)
        for paragraph in reply.text.splitlines(keepends=True):
            yield TextDelta(paragraph)
        yield Completed(StopReason.COMPLETE)

    async def warm(self, passages: Sequence[Passage], embedder: Embedder) -> None:
        """Embed the sentences of `passages` ahead of the first message, by an embedder that lets messages go first."""
        if self.sentences is None:
            return
        for passage in passages:
            texts = [text for candidate in candidates_of(passage, 0) for text in candidate.compared]
            if texts:
                await self.sentences.vectors(texts, embedder=embedder)

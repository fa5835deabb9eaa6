"""Has two embedders read a message at the same time, each once; it computes nothing itself."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from support_agents.ports import Embedder, Vector


@dataclass(frozen=True)
class AheadEmbedder:
    """`Embedder` that may be told of texts before they are asked for; the last `room` of them are embedded once."""

    embedder: Embedder
    room: int
    _begun: OrderedDict[str, asyncio.Future[Vector]] = field(default_factory=OrderedDict, repr=False, compare=False)

    @property
    def version(self) -> str:
        """As of the embedder around which it stands."""
        return self.embedder.version

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.embedder.dimensions

    def begin(self, texts: Sequence[str]) -> None:
        """Start with those texts that are not known; returns at once."""
        for text in texts:
            known = self._begun.get(text)
            if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
                self._begun[text] = asyncio.ensure_future(self._row(text))
            self._begun.move_to_end(text)
        while len(self._begun) > max(self.room, len(texts)):
            self._begun.popitem(last=False)

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Return one row a text. Whoever gives up waiting does not stop the work."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        self.begin(texts)
        return np.stack([await asyncio.shield(row) for row in [self._begun[text] for text in texts]])

    async def _row(self, text: str) -> Vector:
        return np.asarray((await self.embedder.embed([text]))[0], dtype=np.float32)


@dataclass(frozen=True)
class LeadingEmbedder:
    """`Embedder` that sends what it embeds ahead to another one as well, and waits for its own only."""

    embedder: Embedder
    other: AheadEmbedder

    @property
    def version(self) -> str:
        """As of its own embedder."""
        return self.embedder.version

    @property
    def dimensions(self) -> int:
        """As of its own embedder."""
        return self.embedder.dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Embed texts, and have the other one begin with them."""
        self.other.begin(texts)
        return await self.embedder.embed(texts)

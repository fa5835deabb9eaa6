"""An embedder that remembers the texts it has seen lately; it computes nothing itself."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from support_agents.ports import Embedder, Vector

REMEMBERED = 20_000


@dataclass(frozen=True)
class RememberingEmbedder:
    """`Embedder` around another: each text is embedded once while there is room; meant for texts that come again."""

    embedder: Embedder
    room: int = REMEMBERED
    _known: OrderedDict[str, Vector] = field(default_factory=OrderedDict, repr=False, compare=False)

    @property
    def version(self) -> str:
        """As of the embedder around which it stands."""
        return self.embedder.version

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.embedder.dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Return one row a text, from memory where it is known."""
        return await self._rows(texts, self.embedder)

    async def learn(self, texts: Sequence[str], embedder: Embedder) -> None:
        """Embed `texts` ahead of need, by an embedder of the same version that lets messages go first."""
        if texts:
            await self._rows(texts, embedder)

    async def _rows(self, texts: Sequence[str], embedder: Embedder) -> Vector:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        known = {text: self._known[text] for text in texts if text in self._known}
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        if fresh:
            known |= dict(zip(fresh, await embedder.embed(fresh), strict=True))
        for text in known:
            self._known[text] = known[text]
            self._known.move_to_end(text)
        while len(self._known) > self.room:
            self._known.popitem(last=False)
        return np.stack([known[text] for text in texts])

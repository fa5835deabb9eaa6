"""An embedder that remembers the texts it has seen lately; it computes nothing itself."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from support_agents.ports import Embedder, Vector

REMEMBERED = 20_000  # vectors of 1.5 KB: 31 MB, and the texts


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
        rows = await self._rows(texts, self.embedder)
        self._keep(rows)
        return self._stacked(texts, rows)

    async def passing(self, texts: Sequence[str]) -> Vector:
        """The same for texts that will hardly come again, as a customer's: what is not known is not kept either."""
        rows = await self._rows(texts, self.embedder)
        self._keep({text: row for text, row in rows.items() if text in self._known})
        return self._stacked(texts, rows)

    async def learn(self, texts: Sequence[str], embedder: Embedder) -> None:
        """Embed `texts` ahead of need, by an embedder of the same version that lets messages go first."""
        self._keep(await self._rows(texts, embedder))

    async def _rows(self, texts: Sequence[str], embedder: Embedder) -> dict[str, Vector]:
        known = {text: self._known[text] for text in texts if text in self._known}
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        computed = await embedder.embed(fresh) if fresh else ()
        # Each row by itself: a view would keep all that was computed with it for as long as one of them is known.
        return known | {text: row.copy() for text, row in zip(fresh, computed, strict=True)}

    def _keep(self, rows: Mapping[str, Vector]) -> None:
        for text, row in rows.items():
            self._known[text] = row
            self._known.move_to_end(text)
        while len(self._known) > self.room:
            self._known.popitem(last=False)

    def _stacked(self, texts: Sequence[str], rows: Mapping[str, Vector]) -> Vector:
        return np.stack([rows[text] for text in texts]) if texts else np.empty((0, self.dimensions), dtype=np.float32)

"""The vectors of articles' titles, computed once and kept in a file between starts; it knows no article."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from support_agents.domain.errors import SupportError
from support_agents.knowledge.known_vectors import KnownVectors, write
from support_agents.ports import Embedder, Vector

_AT_ONCE = 64


class TitleVectors:
    """Vectors by title; `path` is a file that only this object writes, None to keep them in memory alone."""

    def __init__(self, embedder: Embedder, path: Path | None = None) -> None:
        self._embedder = embedder
        self._path = path
        self._held: dict[str, Vector] = {}
        self._unsaved = False
        self._lock = asyncio.Lock()

    def learn(self, vectors: Mapping[str, Vector]) -> None:
        """Take vectors that somebody else has computed with the same embedder; the next call of `of` saves them."""
        fresh = {title: row for title, row in vectors.items() if title not in self._held}
        self._held |= fresh
        self._unsaved = self._unsaved or bool(fresh)

    async def of(self, titles: Sequence[str]) -> Vector:
        """Return one unit vector a title, shape (len(titles), dimensions); computes only what is new."""
        async with self._lock:
            fresh = [title for title in dict.fromkeys(titles) if title not in self._held]
            if fresh or self._unsaved:
                computed = await self._compute(fresh) if fresh else ()
                wanted = {*titles}
                self._held = {title: row for title, row in self._held.items() if title in wanted}
                self._held |= dict(zip(fresh, computed, strict=True))
                self._unsaved = False
                if self._path is not None:
                    held = sorted(self._held)
                    await write(held, np.stack([self._held[one] for one in held]), self._embedder.version, self._path)
        rows = [self._held[title] for title in titles]
        return np.stack(rows) if rows else np.empty((0, self._embedder.dimensions), dtype=np.float32)

    async def _compute(self, titles: Sequence[str]) -> Vector:
        embedder: Embedder = self._embedder
        if self._path is not None and self._path.is_file():
            try:
                embedder = KnownVectors.load(self._path, embedder)
            except SupportError:
                self._path.unlink()  # damaged, and made anew from the titles
        parts = [await embedder.embed(titles[start : start + _AT_ONCE]) for start in range(0, len(titles), _AT_ONCE)]
        return np.concatenate(parts)

"""Vectors made ahead for texts that are shipped with them; whatever is not among them is computed as ever."""

import asyncio
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from support_agents.domain.errors import SupportError
from support_agents.ports import Embedder, Vector


class KnownVectors:
    """`Embedder` that looks a text up before it computes; a text is known under the embedder's own version only."""

    def __init__(self, embedder: Embedder, known: Mapping[bytes, Vector]) -> None:
        self._embedder = embedder
        self._known = known

    @classmethod
    def load(cls, path: Path, embedder: Embedder) -> "KnownVectors":
        """Read a file that `save` wrote; one that cannot be read is a `SupportError`."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
                keys, vectors = stored["keys"], np.asarray(stored["vectors"], dtype=np.float32)
        except (OSError, ValueError, KeyError) as error:
            raise SupportError("vectors_unreadable", f"{path} is not a file of vectors; make it anew") from error
        # Stored with half the digits: made unit vectors again.
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return cls(embedder, {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)})

    @property
    def version(self) -> str:
        """As of the embedder."""
        return self._embedder.version

    @property
    def dimensions(self) -> int:
        """As of the embedder."""
        return self._embedder.dimensions

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Return one row a text, computing only those that are not known."""
        found = [self._known.get(_key(text, self.version)) for text in texts]
        missing = [at for at, vector in enumerate(found) if vector is None]
        rows = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for at, vector in enumerate(found):
            if vector is not None:
                rows[at] = vector
        if missing:
            rows[missing] = await self._embedder.embed([texts[at] for at in missing])
        return rows

    def knows(self, text: str) -> bool:
        """Whether a text need not be computed."""
        return _key(text, self.version) in self._known


async def save(texts: Sequence[str], embedder: Embedder, path: Path) -> None:
    """Compute the vectors of `texts` and write them; equal texts give an equal file."""
    unique = sorted(set(texts))
    await write(unique, await embedder.embed(unique), embedder.version, path)


async def write(texts: Sequence[str], rows: Vector, version: str, path: Path) -> None:
    """Write vectors that are there already, a row a text; `version` is that of the embedder that made them."""
    keys = np.array([np.frombuffer(_key(text, version), dtype=np.uint8) for text in texts])
    content = io.BytesIO()
    np.savez_compressed(content, keys=keys, vectors=rows.astype(np.float16))
    await asyncio.to_thread(path.write_bytes, content.getvalue())


def _key(text: str, version: str) -> bytes:
    return hashlib.sha256(f"{version}\0{text}".encode()).digest()

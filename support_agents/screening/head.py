"""Scores how much a window of text reads like an instruction to the software; it learns nothing at run time."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.errors import SupportError
from support_agents.ports import Vector
from support_agents.screening.grams import Grams

SHIPPED = Path(__file__).with_name("injection_head.npz")
SHIPPED_SHA256 = "eac7e5b8d163a29f1ee0f30f4e7feca7c348579b9cf10c78cf56db98273c1604"  # training prints it
_LONGEST_FILE = 4_000_000

Floats = NDArray[np.float32]


class HeadManifest(BaseModel):
    """How a head was made and what it is held to; all scores are logits."""

    model_config = ConfigDict(frozen=True)

    embedder: str = Field(description="version of the embedder that it was trained on")
    data_sha256: str = Field(description="of the texts and labels that it was trained on, in order")
    threshold: float = Field(description="probability (0..1) from which a text is taken for an attack")
    direct_shift: float = Field(description="added to the score of a part of a longer text, as a part says less alone")
    task_shift: float = Field(description="added to the score of a foreign task, so that one threshold serves both")
    task_likeness: float = Field(description="taken off for each unit of cosine between a window and the whole text")
    task_whole: float = Field(description="share of the whole text's own score as a task that is taken off")
    direct_bar: float = Field(description="score of the n-grams alone below which a window is not looked at further")
    task_bar: float = Field(description="as above, for foreign tasks")


@dataclass(frozen=True)
class Weights:
    """A linear score over an embedding and n-grams."""

    vector: Floats
    grams: Floats
    bias: float

    def of_grams(self, given: Grams) -> float:
        """Return the part of the score that needs no embedding, bias included."""
        return float(self.grams[given.columns] @ given.values) + self.bias

    def of_vector(self, vector: Vector) -> float:
        """Return the rest of the score."""
        return float(self.vector @ vector)


@dataclass(frozen=True)
class InjectionHead:
    """Two scores: `direct` for text that addresses the software, `task` for a task foreign to the text around it."""

    direct: Weights
    task: Weights
    manifest: HeadManifest

    @property
    def threshold(self) -> float:
        """Probability (0..1) from which a text is taken for an attack; the same for every kind of text."""
        return self.manifest.threshold

    @cached_property
    def version(self) -> str:
        """What a run records of it: the data it was trained on, then its weights and limits."""
        held = hashlib.sha256(self.manifest.model_dump_json().encode())
        for one in (self.direct, self.task):
            for part in (one.vector, one.grams, np.float64(one.bias)):
                held.update(part.tobytes())
        return f"injection.{self.manifest.data_sha256[:8]}.{held.hexdigest()[:8]}"

    def stored(self) -> bytes:
        """Return the head as the bytes of an npz file; half precision is enough for its weights."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            direct_vector=self.direct.vector.astype(np.float32),
            direct_grams=self.direct.grams.astype(np.float16),
            task_vector=self.task.vector.astype(np.float32),
            task_grams=self.task.grams.astype(np.float16),
            biases=np.array([self.direct.bias, self.task.bias], dtype=np.float64),
            manifest=np.frombuffer(self.manifest.model_dump_json().encode(), dtype=np.uint8),
        )
        return buffer.getvalue()

    @classmethod
    def read(cls, content: bytes) -> "InjectionHead":
        """Read what `stored` gave; `SupportError` when it is something else."""
        try:
            with np.load(io.BytesIO(content[:_LONGEST_FILE]), allow_pickle=False) as stored:
                direct, task = stored["biases"].tolist()
                return cls(
                    Weights(stored["direct_vector"], stored["direct_grams"].astype(np.float32), direct),
                    Weights(stored["task_vector"], stored["task_grams"].astype(np.float32), task),
                    HeadManifest.model_validate(json.loads(stored["manifest"].tobytes())),
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SupportError("head_unreadable", "the injection head is not a file of ours; reinstall it") from error


@cache
def shipped() -> InjectionHead:
    """Load the head that comes with the product; `SupportError` for a file other than the one that was measured."""
    content = SHIPPED.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHIPPED_SHA256:
        raise SupportError("head_changed", f"{SHIPPED.name} is not the file that was measured; reinstall it")
    return InjectionHead.read(content)


def probability(score: float) -> float:
    """Return a logit as a probability (0..1)."""
    return float(1 / (1 + np.exp(-np.clip(score, -30, 30))))

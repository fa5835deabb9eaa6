"""An entailment model on ONNX Runtime, from a folder of the installation's own; it never opens a socket.

The folder holds what exporters write: `model.onnx` (inputs `input_ids`, `attention_mask`, maybe `token_type_ids`;
output logits of shape (1, labels)), `tokenizer.json` and `config.json`, whose `id2label` names one label that begins
with “entail”. Everything else that the model may say counts as not following.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from support_agents.adapters.onnx import session_of
from support_agents.domain.errors import SupportError

MAX_TOKENS = 512
_FILES = ("model.onnx", "tokenizer.json", "config.json")


@dataclass(frozen=True)
class OnnxEntailment:
    """`Entailment`; computes in the calling thread, about 30 ms a sentence for a model of 22 million parameters."""

    session: Any  # of the runtime, which ships no types
    tokenizer: Tokenizer
    entails: int
    version: str

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "OnnxEntailment":
        """Load the folder; `entailment_invalid` names the file that is missing or not as described above."""
        model, tokens, config = (_bytes(folder / name) for name in _FILES)
        try:
            session = session_of(model, threads=threads)
        except Exception as error:  # the runtime raises classes of its own for every fault of a file
            raise _invalid(folder / _FILES[0], "is no ONNX model that this runtime reads") from error
        missing = {"input_ids", "attention_mask"} - {given.name for given in session.get_inputs()}
        if missing:
            raise _invalid(folder / _FILES[0], f"has no input {', '.join(sorted(missing))}")
        tokenizer = _tokenizer(folder / _FILES[1], tokens)
        name = f"{folder.name}.{hashlib.sha256(model).hexdigest()[:8]}"
        return cls(session, tokenizer, _entails(folder / _FILES[2], config), name)

    def unsupported(self, source: str, claim: str) -> float:
        """Return how sure the model is (0..1) that `claim` does not follow from `source`, cut to fit if it is long."""
        encoded = self.tokenizer.encode(source, claim)
        feed = {
            "input_ids": np.array([encoded.ids], dtype=np.int64),
            "attention_mask": np.array([encoded.attention_mask], dtype=np.int64),
            "token_type_ids": np.array([encoded.type_ids], dtype=np.int64),
        }
        wanted = {given.name for given in self.session.get_inputs()}
        logits = self.session.run(None, {name: value for name, value in feed.items() if name in wanted})[0][0]
        return 1 - float(_softmax(logits)[self.entails])


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror}") from error


def _tokenizer(path: Path, content: bytes) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(content.decode())
    except Exception as error:  # the library raises a bare Exception for a file that it cannot read
        raise _invalid(path, "is no tokenizer file") from error
    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_first")
    tokenizer.no_padding()
    return tokenizer


def _entails(path: Path, content: bytes) -> int:
    """Return the place of the label for “follows”."""
    try:
        labels = {int(place): str(label) for place, label in json.loads(content)["id2label"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(path, "has no `id2label` with a name for each place") from error
    found = [place for place, label in labels.items() if label.casefold().startswith("entail")]
    if len(found) != 1:
        raise _invalid(path, f"needs one label that begins with “entail”, has {sorted(labels.values())}")
    return found[0]


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(powers / powers.sum())


def _invalid(path: Path, problem: str) -> SupportError:
    return SupportError("entailment_invalid", f"{path} {problem}; see docs/quality.md")

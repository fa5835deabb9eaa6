"""Words of several languages that mean the same to a shop, looked up by stem; it knows no intents."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

PATH = Path(__file__).with_name("concepts.yaml")
_SHORTEST_STEM = 3


@dataclass(frozen=True)
class Concepts:
    """`whole` words and `stems` (any ending) with their concepts; `sha256` of the file they came from.

    `evidence` has for some intents the concepts of which a message must have one before the intent may be named.
    """

    whole: Mapping[str, tuple[str, ...]]
    stems: Mapping[str, tuple[str, ...]]
    sha256: str
    evidence: Mapping[str, frozenset[str]]

    @classmethod
    def load(cls, path: Path = PATH) -> "Concepts":
        """Read the file; a word may belong to several concepts."""
        content = path.read_bytes()
        whole: dict[str, tuple[str, ...]] = {}
        stems: dict[str, tuple[str, ...]] = {}
        entries = yaml.load(content, Loader=yaml.CSafeLoader)
        for concept, words in entries["concepts"].items():
            for word in dict.fromkeys(words.split()):
                table = stems if word.endswith("*") else whole
                table[word.rstrip("*")] = (*table.get(word.rstrip("*"), ()), concept)
        evidence = {intent: frozenset(listed.split()) for intent, listed in entries["evidence"].items()}
        return cls(whole, stems, hashlib.sha256(content).hexdigest(), evidence)

    def of(self, words: Sequence[str]) -> list[str]:
        """Return the concepts of normalised words in order of appearance, repeats included."""
        return [concept for word in words for concept in self._of(word)]

    def _of(self, word: str) -> tuple[str, ...]:
        """Look a word up whole, then by its longest known stem."""
        found = self.whole.get(word)
        if found:
            return found
        lengths = range(len(word), _SHORTEST_STEM - 1, -1)
        return next((self.stems[word[:length]] for length in lengths if word[:length] in self.stems), ())

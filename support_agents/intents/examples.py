"""Reads the example sentences that the intent model is trained on; it never changes them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from support_agents.domain.errors import SupportError
from support_agents.domain.intent import UNKNOWN

PATH = Path(__file__).with_name("examples.yaml")


@dataclass(frozen=True)
class Examples:
    """Texts with their intents, both in file order; `sha256` of the file."""

    texts: tuple[str, ...]
    intents: tuple[str, ...]
    descriptions: dict[str, str]
    sha256: str

    @classmethod
    def load(cls, path: Path = PATH) -> "Examples":
        """Read and check a file of the form `intents: {name: {description, examples: [...]}}`."""
        try:
            content = path.read_bytes()
            intents = yaml.load(content, Loader=yaml.CSafeLoader)["intents"]
            pairs = [(text, name) for name, entry in intents.items() for text in entry["examples"]]
            descriptions = {name: entry["description"] for name, entry in intents.items()}
        except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise SupportError("examples_unreadable", f"{path.name} is not a file of intent examples") from error
        if UNKNOWN not in intents:
            raise SupportError("examples_incomplete", f"{path.name} has no examples of `{UNKNOWN}`")
        texts, names = zip(*pairs, strict=True)
        return cls(texts, names, descriptions, hashlib.sha256(content).hexdigest())

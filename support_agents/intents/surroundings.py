"""Puts training examples into greetings, context and closings of their language; never used at run time."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from support_agents.screening.language import detect

PATH = Path(__file__).with_name("surroundings.yaml")
_DEFAULT = "en"


@dataclass(frozen=True)
class Surroundings:
    """By language, lists of what may stand before, between and after."""

    lists: Mapping[str, Mapping[str, Sequence[str]]]

    @classmethod
    def load(cls, path: Path = PATH) -> "Surroundings":
        """Read the file; the version is no language."""
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return cls({language: entry for language, entry in content.items() if isinstance(entry, dict)})

    def around(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return each text inside of surroundings that depend on the text alone, so that training can be repeated."""
        return tuple(self._around(text) for text in texts)

    def _around(self, text: str) -> str:
        language = detect(text, default=_DEFAULT).code
        lists = self.lists.get(language, self.lists[_DEFAULT])
        number = zlib.crc32(text.encode())
        before, context, after = (
            options[number // divisor % len(options)]
            for options, divisor in ((lists["before"], 1), (lists["context"], 11), (lists["after"], 131))
        )
        return f"{before}\n\n{context} {text}\n\n{after}".strip()

"""Short forms that articles explain in brackets, "credit limit increase (CLI)"; it invents none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from support_agents import linear

_TOKEN = linear.compile(r"\pL+|\(\p{Lu}{2,6}s?\)")


@dataclass(frozen=True)
class ShortForms:
    """Short form by what it stands for, all in small letters."""

    by_words: Mapping[str, str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "ShortForms":
        """Take `(ABC)` for the short form of the words before it when these begin with its letters."""
        found: dict[str, str] = {}
        for text in texts:
            if "(" in text:
                found.update(_explained(text))
        return cls(found)

    def meant_by(self, text: str) -> tuple[str, ...]:
        """Return the short forms of what stands written out in `text`, and what its short forms stand for."""
        plain = f" {' '.join(linear.words(text.lower()))} "
        written_out = [short for words, short in self.by_words.items() if f" {words} " in plain]
        in_short = [words for words, short in self.by_words.items() if f" {short} " in plain]
        return (*written_out, *in_short)


def _explained(text: str) -> Iterable[tuple[str, str]]:
    tokens = [found.group(0) for found in _TOKEN.finditer(text)]
    for at, token in enumerate(tokens):
        if not token.startswith("("):
            continue
        short = token.strip("()s").lower()
        words = [word.lower() for word in tokens[max(0, at - len(short)) : at]]
        if "".join(word[0] for word in words) == short:
            yield " ".join(words), short

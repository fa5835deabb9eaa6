"""Sentences written by hand per language – facts and courtesy – read from `phrases/*.yaml`; it states no other fact."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any

import yaml

from support_agents.wording.segments import split_sentences

LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pl", "pt")
# Words that open a letter; what follows one is a name.
GREETING_WORDS = (
    "hi",
    "hello",
    "dear",
    "hey",
    "guten tag",
    "hallo",
    "liebe",
    "lieber",
    "hola",
    "bonjour",
    "cher",
    "chère",
    "olá",
    "bom dia",
    "ciao",
    "salve",
    "gentile",
    "buongiorno",
    "beste",
    "goedemorgen",
    "dzień dobry",
    "cześć",
    "witaj",
)
_LONGEST_NAME = 24
_TITLES = frozenset("mr mrs ms miss dr prof herr frau sr sra señor señora m mme monsieur madame".split())  # noqa: SIM905 - reads best as prose


@dataclass(frozen=True)
class Said:
    """A filled sentence with the names of the facts it states."""

    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Phrases:
    """The phrases of one language; keys are dotted (`order.shipped`), a list gives alternatives."""

    language: str
    tree: Mapping[str, Any]

    def say(self, key: str, facts: Mapping[str, str]) -> Said | None:
        """Fill the first alternative whose facts are all known; None when there is none."""
        for template in self._alternatives(key):
            names = [name for _, name, _, _ in Formatter().parse(template) if name]
            if all(facts.get(name) for name in names):
                text = "".join(
                    literal + (facts[name] if name else "") for literal, name, _, _ in Formatter().parse(template)
                )
                return Said(text, tuple(dict.fromkeys(names)))
        return None

    def line(self, key: str, **words: str) -> str:
        """Return the first alternative of a phrase that states no fact; empty when the language has none."""
        template = next(self._alternatives(key), "")
        return template.format(**words) if words else template

    def greeting(self, customer_name: str) -> str:
        """Greet by first name, or without one where the name is not plainly a name."""
        name = first_name(customer_name)
        return self.line("greeting", name=name) if name else self.line("greeting_nameless")

    def is_courtesy(self, text: str, customer_name: str) -> bool:
        """Whether `text` is one of our courtesies, word for word, and names nobody but the customer."""
        return _normal(text) in self._courtesies(customer_name)

    def opened(self, intent: str) -> str:
        """Name an ask of this intent as open; of one that has no name here, as the other question."""
        topic = self.line(f"topic.{intent}") if intent != "other" else ""
        other = self.line("open.other") or self.line("open.ask", topic=self.line("topic.other"))
        return self.line("open.ask", topic=topic) if topic else other

    def is_open(self, text: str) -> bool:
        """Whether `text` names an ask as open, in our words."""
        if text and text == self.line("open.other"):
            return True
        before, _, after = self.line("open.ask", topic="\0").partition("\0")
        return text.startswith(before) and text.endswith(after)

    def _courtesies(self, customer_name: str) -> frozenset[str]:
        return _courtesies(self.language, first_name(customer_name), customer_name.strip())

    def _alternatives(self, key: str) -> Iterator[str]:
        node: Any = self.tree
        for part in key.split("."):
            node = node.get(part) if isinstance(node, Mapping) else None
        if isinstance(node, str):
            yield node
        elif isinstance(node, list):
            yield from node


@cache
def phrases_of(language: str) -> Phrases | None:
    """Return the phrases of a language that we write; None for any other."""
    if language not in LANGUAGES:
        return None
    path = files(__package__ or "").joinpath("phrases", f"{language}.yaml")
    return Phrases(language, yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def first_name(customer_name: str) -> str:
    """Return the first name as one writes it; empty unless it is plainly a name."""
    parts = [part for part in customer_name.split() if part.strip(".").casefold() not in _TITLES]
    if not parts or len(customer_name) > 3 * _LONGEST_NAME:
        return ""
    name = parts[0]
    if len(parts) < len(customer_name.split()) and len(parts) == 1:
        return ""  # only a surname stands behind the title
    letters = name.replace("-", "").replace("'", "").replace("’", "")
    if not letters.isalpha() or not 1 < len(name) <= _LONGEST_NAME:
        return ""
    return name.capitalize() if name.islower() or name.isupper() else name


@cache
def _templates(language: str) -> tuple[str, ...]:
    """All lines of a language that state nothing."""
    phrases = phrases_of(language)
    if phrases is None:
        return ()
    found: list[str] = []
    for key in ("greeting", "greeting_nameless", "closing", "offer", "sympathy", "question"):
        node = phrases.tree.get(key, [])
        values = node.values() if isinstance(node, Mapping) else [node] if isinstance(node, str) else node
        for value in values:
            found += [segment.text for segment in split_sentences(str(value))]
    return tuple(found)


@lru_cache(maxsize=64)  # customers of the runs that are under way: every customer has a name of their own
def _courtesies(language: str, *names: str) -> frozenset[str]:
    named = [template for template in _templates(language) if "{name}" in template]
    return _nameless(language) | {_normal(line.replace("{name}", name)) for line in named for name in names if name}


@cache
def _nameless(language: str) -> frozenset[str]:
    return frozenset(_normal(template) for template in _templates(language) if "{name}" not in template)


def _normal(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").strip(" ,.!–-:").split())

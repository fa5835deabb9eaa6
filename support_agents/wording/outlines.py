"""What a good answer to each intent says, as lines to compare the knowledge base with; none of them is ever sent."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from support_agents import linear
from support_agents.domain.intent import Ask
from support_agents.wording.meaning import meant

# Languages in which what an answer says is described; messages in others are compared by meaning alone.
OUTLINED = ("en", "de", "es", "fr")
MOST_HINTS = 10  # of one ask


class Situation(BaseModel):
    """What is known of the case, as far as it decides what an answer should say; None is unknown."""

    model_config = ConfigDict(frozen=True)

    order: str = "none"
    attached: bool = False
    closed: bool | None = None
    refunded: bool = False
    window: bool = False
    refund: bool = False
    other_product: bool = False


class OutlineLine(BaseModel):
    """One thing to say, and when; see `outlines/en.yaml` for the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    say: str
    when: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    fallback: bool = False
    hint: bool = False
    attached: bool | None = None
    closed: bool | None = None
    refunded: bool | None = None
    window: bool | None = None
    refund: bool | None = None
    other_product: bool | None = None

    def fits(self, case: Situation) -> bool:
        """Whether the line belongs into an answer to this case."""
        if self.when and case.order not in self.when:
            return False
        pairs = (
            (self.attached, case.attached),
            (self.closed, bool(case.closed)),
            (self.refunded, case.refunded),
            (self.window, case.window),
            (self.refund, case.refund),
            (self.other_product, case.other_product),
        )
        return all(asked is None or asked is known for asked, known in pairs)

    def is_asked(self, text: str) -> bool:
        """Whether the message has one of the words that call for this line."""
        return bool(self.wanted) and bool(_pattern(self.wanted).search(_plain(text)))

    def is_out_of_place(self, text: str) -> bool:
        """Whether the message has a word after which this line would miss the point."""
        return bool(self.unwanted) and bool(_pattern(self.unwanted).search(_plain(text)))

    def matters(self, text: str) -> bool:
        """Whether the line may answer this message at all."""
        return (not self.wanted or self.is_asked(text)) and not self.is_out_of_place(text)


def hints(asks: Sequence[Ask], text: str, language: str) -> tuple[str, ...]:
    """Return what an answer to these asks would say, for retrieval to look for beside the message itself.

    `text` is the whole message with its subject; it speaks for the ask where there is only one.
    """
    lines: dict[str, None] = {}
    for ask in asks:
        said = ask.text if len({one.intent.name for one in asks}) > 1 else f"{ask.text} {text}"
        intent = meant(ask.intent.name, f"{text} {ask.text}", ask.text if len(asks) > 1 else "")
        matter = [line for line in outline(intent, language) if line.matters(said)]
        asked_first = sorted(matter, key=lambda line: not line.is_asked(said))
        lines.update(dict.fromkeys(line.say for line in asked_first[:MOST_HINTS]))
    return tuple(lines)


def outline(intent: str, language: str) -> tuple[OutlineLine, ...]:
    """Return the lines of an intent, most important first; none for an intent that only the ask itself describes."""
    return _outlines(language).get(intent, ())


def all_lines() -> tuple[str, ...]:
    """Return every line of every language, for whoever prepares to compare with them."""
    return tuple(line.say for language in OUTLINED for lines in _outlines(language).values() for line in lines)


@cache
def _outlines(language: str) -> Mapping[str, tuple[OutlineLine, ...]]:
    if language not in OUTLINED:
        return {}
    path = files(__package__ or "").joinpath("outlines", f"{language}.yaml")
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {intent: tuple(OutlineLine.model_validate(line) for line in lines) for intent, lines in data.items()}


@lru_cache(maxsize=64)
def _plain(text: str) -> str:
    """A message in small letters with single spaces, for which every line is looked at."""
    return " ".join(text.casefold().split())


@cache
def _pattern(words: tuple[str, ...]) -> linear.Pattern:
    listed = "|".join(linear.escape(word.casefold()) for word in words)
    return linear.compile(rf"(?:^|[^\pL\pN])(?:{listed})(?:$|[^\pL\pN])")

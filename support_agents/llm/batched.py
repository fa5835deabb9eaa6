"""Passes a stream on by sentences, and reads many streams in gulps; it changes no word and delays no sentence's end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from time import monotonic

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.llm.streams import opened
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

_ENDS = frozenset(".!?…]\n")
# A delta that took so long to come was waited for; before it there was nothing left to read.
_WAITED = 0.0005


@dataclass
class _Held:
    """Text that ends no sentence yet, and whether the word after an end – which makes it certain – is to come."""

    text: str = ""
    after_end: str | None = None

    def take(self, piece: str) -> str:
        """Add a piece; return what is to be passed on now, which is empty within a sentence."""
        self.text += piece
        if not _ENDS.isdisjoint(piece):
            self.after_end = ""
        elif self.after_end is None:
            return ""
        else:
            self.after_end += piece
            # Models speak in pieces that begin with a space, so the word is whole when the next one begins.
            word = self.after_end.lstrip()
            if any(letter.isspace() for letter in word):
                self.after_end = None
        return self.give()

    def give(self) -> str:
        """Return all that is held."""
        given, self.text = self.text, ""
        return given


@dataclass(frozen=True)
class BatchedModel:
    """`LanguageModel` around another: what listens outside is woken once a sentence, not once a token.

    `pause` says how many seconds the next read may wait, so that it finds several tokens; with few streams none.
    """

    model: LanguageModel
    pause: Callable[[], float] = field(default=lambda: 0.0, repr=False)

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield the first delta at once, then text up to the ends of sentences; nothing is lost at a fault."""
        held, spoke, since = _Held(), False, monotonic()
        try:
            async with opened(self.model, prompt, run) as stream:
                async for item in stream:
                    if isinstance(item, Completed):
                        if rest := held.give():
                            yield TextDelta(rest)
                        yield item
                        continue
                    text = held.take(item.text) if spoke else item.text
                    spoke = True
                    if text:
                        yield item if text == item.text else replace(item, text=text)
                    if monotonic() - since > _WAITED and (pause := min(self.pause(), run.deadline.remaining)) > 0:
                        await asyncio.sleep(pause)
                    since = monotonic()
        except SupportError:
            if rest := held.give():
                yield TextDelta(rest)
            raise

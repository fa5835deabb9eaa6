"""Lets so many streams run at once in this process; who does not get in is refused at once and never queues."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.llm.streams import opened
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

BUSY = "llm_busy"
# So few streams are read as they come. With each further one reads may wait a little longer, so that all of them
# together cost about what the few do: a token that is read by itself costs more than all that is done with it.
_FEW, _SECONDS_EACH, _LONGEST_PAUSE = 4, 0.003, 0.08


class StreamGate:
    """Counts the streams that are open; shared by everything that streams in one event loop."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.taken = 0

    def enter(self) -> None:
        """Take a place; `SupportError` (`llm_busy`) where there is none."""
        if self.taken >= self.places:
            raise SupportError(BUSY, "as many drafts are being written as this process can stream", retryable=True)
        self.taken += 1

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1

    def pause(self) -> float:
        """Seconds that a stream may be left unread."""
        return min(_LONGEST_PAUSE, _SECONDS_EACH * max(0, self.taken - _FEW))


@dataclass(frozen=True)
class GatedModel:
    """`LanguageModel` around another; parsing too many streams at once would make all of them late."""

    model: LanguageModel
    gate: StreamGate

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model yields, holding a place until the stream is closed."""
        self.gate.enter()
        try:
            async with opened(self.model, prompt, run) as stream:
                async for item in stream:
                    yield item
        finally:
            self.gate.leave()

"""The intent agent: what the customer asks for, with entities; it reads one message and writes no prose."""

from dataclasses import dataclass

import numpy as np

from support_agents.agents.intent_opinion import IntentOpinion
from support_agents.domain.intent import UNKNOWN, Ask, Entity, EntityKind, IntentScore
from support_agents.domain.runs import Run
from support_agents.domain.sections import IntentSection
from support_agents.intents.asks import Span, answered, blended, joined, read
from support_agents.intents.entities import find_entities
from support_agents.ports import Clock, Embedder, IntentModel, Vector

MOST_INTENTS = 5
_SHORT_MESSAGE = 12  # words; only a message this short borrows its meaning from what was said before
_LONGEST_HINT = 400
_LOOKED_BACK = 2  # messages
_BARE_CALL = 2  # words; `hello?` and `any news?` name no matter


@dataclass(frozen=True, eq=False)
class IntentGiven:
    """All that the intent agent sees; `vector` is the embedding of `text`, `previous` the customer's last messages."""

    text: str
    language: str
    vector: Vector
    subject: str = ""
    previous: tuple[str, ...] = ()


@dataclass(frozen=True)
class IntentAgent:
    """Ranks a message, finds its asks and entities; at most one further batch of embeddings, and seldom that."""

    model: IntentModel
    clock: Clock
    embedder: Embedder | None = None
    opinion: IntentOpinion | None = None

    async def work(self, given: IntentGiven, run: Run) -> IntentSection:
        """Write the intent section; without an embedder, clauses go by the whole message's vector.

        Where neither the message nor a clause of it is clear, a small language model may be asked, if there is one.
        """
        entities = find_entities(given.text, self.clock.now().date(), language=given.language)
        reading = read(given.text, given.language)
        whole = self.model.rank(reading.matter, given.vector)
        unclear = answered(whole, self.model.threshold).name == UNKNOWN
        hint = _hint(given, entities) if unclear else ""
        own = reading.to_embed or (reading.only_ask if unclear else ())
        vectors = await self._embedded([*own, *([hint] if hint else [])], given.vector)
        if hint:
            whole = self._clearer(whole, self.model.rank(hint, vectors[-1]))
        ranked = [self._ranked(text, vector, whole) for text, vector in zip(own, vectors, strict=False)]
        if len(ranked) == 1:
            whole = self._clearer(whole, ranked[0])
        version = self.model.version
        if reading.spans and not any(self._is_clear(one) for one in (whole, *ranked)):
            whole, version = await self._second(given, whole, run)
        asks = self._asks(given.text, reading.spans, ranked if len(reading.spans) > 1 else [whole] * len(reading.spans))
        return IntentSection(intents=self._intents(whole, asks), asks=asks, entities=entities, model_version=version)

    async def _second(
        self, given: IntentGiven, whole: tuple[IntentScore, ...], run: Run
    ) -> tuple[tuple[IntentScore, ...], str]:
        """Put an opinion before the ranking, no surer than a message that is only just known; name who gave it."""
        version, opinion = self.model.version, None
        if self.opinion is not None and not run.hurried:
            opinion = await self.opinion.of(given.text, given.subject, given.language, known=self.model.names, run=run)
        if self.opinion is None or opinion is None:
            return whole, version
        first = IntentScore(name=opinion.name, probability=self.model.threshold)
        return (first, *(one for one in whole if one.name != first.name)), f"{version} with {self.opinion.name}"

    def _is_clear(self, scores: tuple[IntentScore, ...]) -> bool:
        return answered(scores, self.model.threshold).name != UNKNOWN

    async def _embedded(self, texts: list[str], fallback: Vector) -> Vector:
        if not texts or self.embedder is None:
            return np.repeat(fallback[None, :], len(texts), axis=0)
        return await self.embedder.embed(texts)

    def _ranked(self, text: str, vector: Vector, whole: tuple[IntentScore, ...]) -> tuple[IntentScore, ...]:
        """Rank a clause by itself, and with the whole message's ranking where that is unclear."""
        own = self.model.rank(text, vector)
        return own if self._is_clear(own) else blended(own, whole)

    def _clearer(self, whole: tuple[IntentScore, ...], closer: tuple[IntentScore, ...]) -> tuple[IntentScore, ...]:
        """Prefer the ranking of a closer look, if that one is sure of a known intent."""
        return closer if self._is_clear(closer) else whole

    def _asks(self, text: str, found: tuple[Span, ...], ranked: list[tuple[IntentScore, ...]]) -> tuple[Ask, ...]:
        scored = [(span, answered(scores, self.model.threshold)) for span, scores in zip(found, ranked, strict=True)]
        return joined(text, scored)

    def _intents(self, whole: tuple[IntentScore, ...], asks: tuple[Ask, ...]) -> tuple[IntentScore, ...]:
        """Rank the message's own intent, those of its asks, surest first, and what else it might be.

        A message that is unclear as a whole goes by its clearest ask, or is `unknown`.
        """
        first = answered(whole, self.model.threshold)
        clear = sorted((ask.intent for ask in asks if ask.intent.name != UNKNOWN), key=lambda one: -one.probability)
        if first.name == UNKNOWN and clear:
            first = clear[0]
        ranked: dict[str, IntentScore] = {}
        for score in (first, *clear, *whole):
            ranked.setdefault(score.name, score)
        return tuple(ranked.values())[:MOST_INTENTS]


def _hint(given: IntentGiven, entities: tuple[Entity, ...]) -> str:
    """Return a short or number-only message together with what it most likely refers to, or nothing."""
    before = _asked_before(given)
    if not before.strip() or len(given.text.split()) > _SHORT_MESSAGE:
        return ""
    only_number = any(entity.kind is EntityKind.ORDER_ID for entity in entities) and len(given.text.split()) <= 4  # noqa: PLR2004 - "it is HW-10423"
    return before[:_LONGEST_HINT] if only_number else f"{before[:_LONGEST_HINT]}\n{given.text}"


def _asked_before(given: IntentGiven) -> str:
    """Return the newest of the last two messages before that asked for something, else the newest, else the subject.

    Between a question and what was asked back there often stands a `thanks` or `hello?`, which says nothing.
    """
    last = given.previous[-_LOOKED_BACK:][::-1]
    asking = (text for text in last if _asks_for_something(text, given.language))
    return next(asking, last[0] if last else given.subject)


def _asks_for_something(text: str, language: str) -> bool:
    return sum(len(span.text.split()) for span in read(text, language).spans) > _BARE_CALL

"""Typed values in a message (order numbers, amounts, dates) by linear-time rules; they are data, never authority."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import islice

from support_agents.domain.intent import Entity
from support_agents.intents.amounts import find_amounts
from support_agents.intents.dates import LANGUAGES_WITH_OWN_DAYS, find_dates
from support_agents.intents.orders import find_orders

LONGEST_TEXT = 20_000  # characters looked at; a real message is far shorter
MOST = 60  # of each kind; what a hostile text has beyond that is of no use to anybody


def find_entities(text: str, today: date, *, language: str = "en") -> tuple[Entity, ...]:
    """Return entities in order of appearance without overlaps; where two overlap, date wins over amount over order."""
    # In most languages the same: what was found before the message's own was known is not looked for again.
    return _entities(text, today, language if language in LANGUAGES_WITH_OWN_DAYS else "")


@lru_cache(maxsize=256)  # planning the look-up of orders and reading the message both ask
def _entities(text: str, today: date, language: str) -> tuple[Entity, ...]:
    text = text[:LONGEST_TEXT]
    kept: list[Entity] = []
    for found in (find_dates(text, today, language=language), find_amounts(text), find_orders(text)):
        kept += _apart(islice(found, MOST), kept)
    return tuple(sorted(kept, key=lambda entity: entity.start))


def _apart(found: Iterable[Entity], kept: Iterable[Entity]) -> list[Entity]:
    """Return those of `found` that touch neither a kept one nor an earlier one of their own; the longer goes first."""
    taken = {place for entity in kept for place in range(entity.start, entity.end)}
    chosen: list[Entity] = []
    for entity in sorted(found, key=lambda entity: (entity.start - entity.end, entity.start)):
        places = range(entity.start, entity.end)
        if taken.isdisjoint(places):
            taken.update(places)
            chosen.append(entity)
    return chosen

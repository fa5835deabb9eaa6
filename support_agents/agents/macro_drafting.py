"""Writes a reply from macros that were chosen for it: slots filled from verified facts, nothing else added."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Literal

from support_agents.agents.protocol import StreamEnd
from support_agents.domain.runs import Run
from support_agents.domain.sections import DraftingGiven, Rung, Sentence
from support_agents.wording.facts import fact_texts
from support_agents.wording.letters import closing_of
from support_agents.wording.phrases import Phrases, phrases_of

MODEL = "macros"
_Lead = Literal["", " ", "\n", "\n\n"]


@dataclass(frozen=True)
class MacroDraftingAgent:
    """`Streaming` over the macros it is given; without any it says nothing."""

    async def stream(self, given: DraftingGiven, run: Run) -> AsyncIterator[Sentence | StreamEnd]:
        """Yield greeting, the macros' sentences and the closing."""
        del run  # nothing here waits
        phrases = phrases_of(given.language)
        if given.macros and phrases is not None:
            for sentence in _reply(given, phrases):
                yield sentence
        yield StreamEnd(
            rung=Rung.MACRO,
            complete=True,
            model=MODEL,
            prompt_version="+".join(macro.identity for macro in given.macros),
            open_asks=tuple(one.text for one in given.opened),
        )


def _reply(given: DraftingGiven, phrases: Phrases) -> Iterator[Sentence]:
    facts = fact_texts(given, given.language)
    yield Sentence(text=phrases.greeting(given.customer_name), courtesy=True, lead="")
    for macro in given.macros:
        for at, sentence in enumerate(macro.sentences):
            lead: _Lead = "\n\n" if at == 0 or sentence.paragraph else " "
            yield Sentence(
                text=filled(sentence.text, facts),
                citations=sentence.citations,
                facts=sentence.facts,
                courtesy=sentence.courtesy,
                lead=lead,
            )
    for number, one in enumerate(given.opened, start=1):
        yield Sentence(text=phrases.opened(one.topic), facts=(f"open.{number}",), lead="\n\n")
    yield from closing_of(given)


def filled(text: str, facts: dict[str, str]) -> str:
    """Put the facts into the slots; the caller has made sure that all are known."""
    return "".join(literal + (facts[name] if name else "") for literal, name, _, _ in Formatter().parse(text))

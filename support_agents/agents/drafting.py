"""The drafting agent: a prompt rendered, a model's stream cut into whole cited sentences; it looks nothing up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from support_agents.agents.protocol import StreamEnd
from support_agents.domain.action import IssueRefund
from support_agents.domain.errors import SupportError
from support_agents.domain.knowledge import Citation
from support_agents.domain.runs import Run
from support_agents.domain.sections import AttachedWords, DraftingGiven, Rung, Sentence
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta
from support_agents.prompts.files import PromptFile
from support_agents.screening.terms import terms
from support_agents.wording.facts import fact_texts
from support_agents.wording.letters import is_courtesy, signature_of
from support_agents.wording.marks import read_marks
from support_agents.wording.phrases import phrases_of
from support_agents.wording.segments import Segment, Segmenter, split_sentences

_OPEN_FACT = "open."
_FENCE = "----"
# Seconds before the deadline at which a model is no longer listened to, so that what it said can be concluded.
TO_CONCLUDE = 0.03


@dataclass
class _Heard:
    """What a model has said so far, and how it ended."""

    by: str
    segmenter: Segmenter = field(default_factory=Segmenter)
    opened: list[int] = field(default_factory=list)
    complete: bool = False
    ended: bool = False
    fault: str = ""

    def end(self, fault: str, *, complete: bool = False) -> None:
        """Note that nothing more comes, and why."""
        self.ended, self.fault, self.complete = True, fault, complete


@dataclass(frozen=True)
class DraftingAgent:
    """`Streaming` over one model; `rung` is what a complete draft of this model counts as."""

    model: LanguageModel
    prompt: PromptFile
    rung: Rung = Rung.DRAFTED

    async def stream(self, given: DraftingGiven, run: Run) -> AsyncIterator[Sentence | StreamEnd]:
        """Yield whole sentences in reading order, then the end; a text that is cut stops at a sentence.

        A model that fails or is still speaking at the deadline ends the stream, too: what it has said stands.
        """
        prompt, heard = rendered(self.prompt, given, run), _Heard(self.model.name)
        stream = cast("AsyncGenerator[TextDelta | Completed]", self.model.stream(prompt, run))
        async with aclosing(stream):
            while not heard.ended:
                for segment in await _listened(stream, heard, run):
                    yield _noted(segment, given, heard.opened)
        for segment in heard.segmenter.finish(complete=heard.complete):
            yield _noted(segment, given, heard.opened)
        yield self._end(given, heard)

    def _end(self, given: DraftingGiven, heard: _Heard) -> StreamEnd:
        asks = {number: ask.text for number, ask in enumerate(given.asks, start=1)}
        rung = Rung.CLARIFY if given.needs_order_id else self.rung
        return StreamEnd(
            rung=rung if heard.complete else Rung.SHORTENED,
            complete=heard.complete,
            model=heard.by,
            prompt_version=self.prompt.identity,
            open_asks=tuple(asks[number] for number in dict.fromkeys(heard.opened) if number in asks),
            fault=heard.fault,
        )


async def _listened(stream: AsyncGenerator[TextDelta | Completed], heard: _Heard, run: Run) -> list[Segment]:
    """Listen until sentences are whole, or to the end: the model's own, a fault, or the deadline."""
    try:
        async with asyncio.timeout(run.deadline.remaining - TO_CONCLUDE):
            async for item in stream:
                if isinstance(item, Completed):
                    complete = item.stop is StopReason.COMPLETE
                    heard.end("" if complete else f"llm_{item.stop.value}", complete=complete)
                    return []
                heard.by = item.by or heard.by
                if whole := heard.segmenter.feed(item.text):
                    return whole
        heard.end("llm_cut")
    except TimeoutError:
        heard.end("llm_timeout")
    except SupportError as error:
        heard.end(error.code)
    return []


def rendered(prompt: PromptFile, given: DraftingGiven, run: Run) -> Prompt:
    """Fill the prompt file; the typed facts travel along for a model that needs no prose."""
    phrases = phrases_of(given.language)
    facts = fact_texts(given, given.language)
    values = {
        "language": given.language,
        "greeting": phrases.greeting(given.customer_name) if phrases else "a short greeting",
        "signature": signature_of(given).replace("\n", " ") or "a short closing",
        "today": given.today.isoformat(),
        "channel": given.channel,
        "most_words": str(given.voice.words_for(given.channel)),
        "first_words": str(given.voice.first_words),
        "voice": given.voice.style or "plain and friendly",
        "never_say": ", ".join(f"“{phrase}”" for phrase in given.voice.never_say) or "nothing in particular",
        "earlier": "\n".join(given.earlier) or "nothing",
        "needs_order_id": "yes" if given.needs_order_id else "no",
        "attachments": ", ".join(given.attachments) or "nothing",
        "attached": "\n\n".join(map(_file, given.attached)) or "nothing",
        "asks": "\n".join(f"{n}. {ask.text}" for n, ask in enumerate(given.asks, start=1)),
        "facts": "\n".join(f"[{name}] {text}" for name, text in facts.items() if text) or "none",
        "actions": "\n".join(_action(action) for action in given.actions if isinstance(action, IssueRefund)) or "none",
        "passages": "\n\n".join(_passage(n, given) for n in range(1, len(given.passages) + 1)) or "none",
        "rejected": "\n".join(given.rejected) or "nothing",
        "subject": given.subject,
        "text": given.text,
    }
    system, user = prompt.render(values)
    allowed = run.budget.tokens.get("drafting", prompt.max_tokens)
    return Prompt(
        agent="drafting",
        version=prompt.identity,
        system=system,
        user=user,
        max_tokens=min(prompt.max_tokens, allowed),
        temperature=prompt.temperature,
        given=given,
    )


def _action(action: IssueRefund) -> str:
    return f"[action.{action.ref}] refund of {action.amount} to the payment method of order {action.order_id}"


def _file(said: AttachedWords) -> str:
    """A file's words; whatever it holds, it does not end its own fence."""
    return f"{said.filename}:\n{said.text}".replace(_FENCE, "– –")


def _passage(number: int, given: DraftingGiven) -> str:
    passage = given.passages[number - 1].passage
    return f"[{number}] {passage.title} › {passage.heading}\n{passage.text}"


def _noted(segment: Segment, given: DraftingGiven, opened: list[int]) -> Sentence:
    """Resolve a segment's marks; a mark that leads nowhere is dropped and leaves the sentence without support."""
    marked = read_marks(segment.text)
    opened += [_position(number, given) for number in marked.opened]
    facts = (*marked.facts, *(f"{_OPEN_FACT}{number}" for number in marked.opened))
    citations = tuple(
        cite(marked.text, given, number) for number in marked.passages if 0 < number <= len(given.passages)
    )
    return Sentence(
        text=marked.text,
        citations=citations,
        facts=facts,
        courtesy=not facts and not citations and is_courtesy(marked.text, given),
        lead=segment.lead,
    )


def _position(number: int, given: DraftingGiven) -> int:
    return number if number <= len(given.asks) else 0


def cite(text: str, given: DraftingGiven, number: int) -> Citation:
    """Cite passage `number` (from 1) with the sentence of it that says most of `text`, verbatim."""
    passage = given.passages[number - 1].passage
    return Citation(
        passage_id=passage.id,
        article_id=passage.article_id,
        title=passage.title,
        quote=best_quote(text, passage.text),
    )


def best_quote(text: str, source: str) -> str:
    """Return the sentence of `source` that shares most content words with `text`; the first of equals."""
    wanted = frozenset(terms(text))
    sentences = [segment.text for segment in split_sentences(source)] or [source]
    return max(sentences, key=lambda sentence: _overlap(wanted, sentence))


def _overlap(wanted: frozenset[str], sentence: str) -> float:
    words = frozenset(terms(sentence))
    return len(wanted & words) / max(1, len(wanted | words))

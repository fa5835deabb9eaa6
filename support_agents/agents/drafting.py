"""The drafting agent: a prompt rendered, a model's stream cut into whole cited sentences; it looks nothing up."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from support_agents.agents.protocol import StreamEnd
from support_agents.domain.action import IssueRefund
from support_agents.domain.knowledge import Citation
from support_agents.domain.runs import Run
from support_agents.domain.sections import DraftingGiven, Rung, Sentence
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta
from support_agents.prompts.files import PromptFile
from support_agents.screening.terms import terms
from support_agents.wording.facts import fact_texts
from support_agents.wording.marks import read_marks
from support_agents.wording.phrases import phrases_of
from support_agents.wording.segments import Segment, Segmenter, split_sentences

_OPEN_FACT = "open."


@dataclass(frozen=True)
class DraftingAgent:
    """`Streaming` over one model; `rung` is what a complete draft of this model counts as."""

    model: LanguageModel
    prompt: PromptFile
    rung: Rung = Rung.DRAFTED

    async def stream(self, given: DraftingGiven, run: Run) -> AsyncIterator[Sentence | StreamEnd]:
        """Yield whole sentences in reading order, then the end; the text of a cut stream stops at a sentence."""
        prompt = rendered(self.prompt, given, run)
        segmenter, complete = Segmenter(), False
        opened: list[int] = []
        stream = cast("AsyncGenerator[TextDelta | Completed]", self.model.stream(prompt, run))
        async with aclosing(stream):
            async for item in stream:
                if isinstance(item, Completed):
                    complete = item.stop is StopReason.COMPLETE
                    break
                for segment in segmenter.feed(item.text):
                    yield _noted(segment, given, opened)
        for segment in segmenter.finish(complete=complete):
            yield _noted(segment, given, opened)
        yield self._end(given, complete=complete, opened=opened)

    def _end(self, given: DraftingGiven, *, complete: bool, opened: list[int]) -> StreamEnd:
        asks = {number: ask.text for number, ask in enumerate(given.asks, start=1)}
        rung = Rung.CLARIFY if given.needs_order_id else self.rung
        return StreamEnd(
            rung=rung if complete else Rung.SHORTENED,
            complete=complete,
            model=self.model.name,
            prompt_version=self.prompt.identity,
            open_asks=tuple(asks[number] for number in dict.fromkeys(opened) if number in asks),
        )


def rendered(prompt: PromptFile, given: DraftingGiven, run: Run) -> Prompt:
    """Fill the prompt file; the typed facts travel along for a model that needs no prose."""
    phrases = phrases_of(given.language)
    facts = fact_texts(given, given.language)
    values = {
        "language": given.language,
        "greeting": phrases.greeting(given.customer_name) if phrases else "a short greeting",
        "signature": phrases.line("signature").replace("\n", " ") if phrases else "a short closing",
        "today": given.today.isoformat(),
        "channel": given.channel,
        "needs_order_id": "yes" if given.needs_order_id else "no",
        "attachments": ", ".join(given.attachments) or "nothing",
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


def _passage(number: int, given: DraftingGiven) -> str:
    passage = given.passages[number - 1].passage
    return f"[{number}] {passage.title} › {passage.heading}\n{passage.text}"


def _noted(segment: Segment, given: DraftingGiven, opened: list[int]) -> Sentence:
    """Resolve a segment's marks; a mark that leads nowhere is dropped and leaves the sentence without support."""
    marked = read_marks(segment.text)
    opened += [_position(number, given) for number in marked.opened]
    phrases = phrases_of(given.language)
    facts = (*marked.facts, *(f"{_OPEN_FACT}{number}" for number in marked.opened))
    citations = tuple(
        cite(marked.text, given, number) for number in marked.passages if 0 < number <= len(given.passages)
    )
    courtesy = not facts and not citations and phrases is not None
    return Sentence(
        text=marked.text,
        citations=citations,
        facts=facts,
        courtesy=courtesy and phrases is not None and phrases.is_courtesy(marked.text, given.customer_name),
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

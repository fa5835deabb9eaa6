"""One drafter heard to the end or to its deadline, each sentence checked as it comes; it keeps only whole ones."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Collection, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from traceback import extract_tb
from typing import TypeVar, cast

from support_agents.agents.debate import DebateAgent, DebateGiven
from support_agents.agents.protocol import SentenceCheck, SentenceVerdict, StreamEnd, Streaming
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import OUT_OF_TIME, Run
from support_agents.domain.sections import (
    Check,
    CheckResult,
    ComplianceGiven,
    ComplianceSection,
    DraftingGiven,
    DraftSection,
    Rung,
    Sentence,
    Severity,
    Verdict,
    verdict_of,
    written,
)
from support_agents.screening.terms import terms
from support_agents.wording.completeness import enough
from support_agents.wording.letters import closing_of

_GRACE = 0.1  # seconds, well within what is kept back for the commit
_LATE = frozenset(("late", "llm_timeout"))

HIGH = "its stakes may be high"

T = TypeVar("T")


@dataclass(frozen=True)
class Attempt:
    """A draft with the verdict on it; neither when the drafter had nothing to say."""

    draft: DraftSection | None = None
    compliance: ComplianceSection | None = None
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether a person should be shown this draft."""
        if self.compliance is None or self.draft is None or self.compliance.verdict is Verdict.BLOCKED:
            return False
        # A macro is approved as a whole: without one of its sentences it is no longer what was approved.
        return self.draft.rung is not Rung.MACRO or not self.compliance.dropped

    def judged(self, check: Check | None, stakes: str) -> "Attempt":
        """The same draft with one more check on the whole of it; without one, it is flagged for its stakes."""
        if self.compliance is None:
            return self
        check = check or Check(
            name="debate",
            result=CheckResult.FAILED,
            severity=Severity.FLAG,
            reason=f"{stakes}, and the reviews did not end",
        )
        checks = (*self.compliance.checks, check)
        compliance = self.compliance.model_copy(update={"checks": checks, "verdict": verdict_of(checks)})
        blocked = "the reviews would not send the draft" if compliance.verdict is Verdict.BLOCKED else self.reason
        return replace(self, compliance=compliance, reason=blocked)


async def argued(best: Attempt, debate: DebateAgent, given: DraftingGiven, run: Run) -> Attempt:
    """Have two reviews argue about a usable draft with high stakes until `run.deadline`; any other stays as it is."""
    stakes = debate.stakes(given) if best.usable else ""
    if best.draft is None or not stakes:
        return best
    return best.judged(
        await debate.work(DebateGiven(drafting=given, draft=best.draft.text, stakes=stakes), run), stakes
    )


@dataclass
class _Heard:
    """What a stream has given so far; all verdicts, and the sentences that may stay."""

    kept: list[Sentence] = field(default_factory=list)
    verdicts: list[SentenceVerdict] = field(default_factory=list)
    end: StreamEnd | None = None
    fault: str = ""

    def take(self, sentence: Sentence, check: SentenceCheck, given: ComplianceGiven) -> None:
        """Have a sentence judged, and keep it if it may stay."""
        verdict = check.check(sentence, len(self.verdicts), given)
        self.verdicts.append(verdict)
        if verdict.keep:
            self.kept.append(sentence)

    @property
    def reason(self) -> str:
        """Why the draft is not better, for a person; empty when nothing went wrong."""
        code = self.fault or (self.end.fault if self.end else "")
        return OUT_OF_TIME if code in _LATE else f"the drafter gave up ({code})" if code else ""


@dataclass(frozen=True)
class Hearing:
    """A drafter who is listened to until `run.deadline`, each sentence judged as it comes.

    A draft that was cut counts if it says enough for its intents, and gets our closing; `shortest` is the number of
    characters that is enough where no rule says otherwise.
    """

    drafter: Streaming
    check: SentenceCheck
    given: ComplianceGiven
    run: Run
    shortest: int
    _heard: _Heard = field(default_factory=_Heard, init=False)

    async def attempt(self) -> Attempt:
        """Listen to the end."""
        try:
            # A drafter ends its own stream at the deadline; on a busy event loop it needs a moment to say how it ended.
            async with asyncio.timeout(self.run.deadline.remaining + _GRACE):
                await self._listen()
        except TimeoutError:
            self._heard.fault = "late"
        except SupportError as error:
            self._heard.fault = error.code
        return self._concluded(self._heard)

    def so_far(self) -> Attempt:
        """What the draft would be if nothing more came; the drafter is still listened to."""
        heard = self._heard
        return self._concluded(replace(heard, kept=[*heard.kept], verdicts=[*heard.verdicts], fault="late"))

    async def _listen(self) -> None:
        stream = cast("AsyncGenerator[Sentence | StreamEnd]", self.drafter.stream(self.given.drafting, self.run))
        async with aclosing(stream):
            async for item in stream:
                if isinstance(item, StreamEnd):
                    self._heard.end = item
                    return
                self._heard.take(item, self.check, self.given)

    def _concluded(self, heard: _Heard) -> Attempt:
        end, reason, drafting = heard.end, heard.reason, self.given.drafting
        whole = end is not None and end.complete
        if not heard.verdicts or (not whole and not enough(heard.kept, drafting, shortest=self.shortest)):
            return Attempt(reason=reason or "the drafter found nothing it could state")
        rung = Rung.SHORTENED if end is None or (not end.complete and end.rung is Rung.DRAFTED) else end.rung
        if not whole:
            _close(heard, self.check, self.given)
        kept = tuple(heard.kept)
        opened = end.open_asks if end else ()
        draft = DraftSection(
            rung=rung,
            sentences=kept,
            text=written(kept),
            model=end.model if end else "",
            prompt_version=end.prompt_version if end else "",
            open_asks=opened if whole else (*opened, *_untouched(kept, drafting, opened)),
        )
        compliance = self.check.close(kept, tuple(heard.verdicts), self.given)
        blocked = "" if compliance.verdict is not Verdict.BLOCKED else "the checks left too little of the draft"
        return Attempt(draft=draft, compliance=compliance, reason=reason or blocked)


def _close(heard: _Heard, check: SentenceCheck, given: ComplianceGiven) -> None:
    """End a draft that was cut with our own closing, checked like any other sentence."""
    closing = closing_of(given.drafting)
    texts = {sentence.text for sentence in closing}
    while heard.kept and heard.kept[-1].courtesy and heard.kept[-1].text in texts:
        heard.kept.pop()
    for sentence in closing:
        heard.take(sentence, check, given)


def _untouched(kept: Sequence[Sentence], given: DraftingGiven, opened: Collection[str]) -> Iterator[str]:
    """The asks after the first of which a cut draft says nothing: a person sees that they are open."""
    said = frozenset(terms(" ".join(sentence.text for sentence in kept if not sentence.courtesy)))
    for ask in given.asks[1:]:
        if ask.text not in opened and not said & frozenset(terms(ask.text)):
            yield ask.text


async def survived(doing: Awaitable[T], seconds: float | None) -> tuple[T | None, str | None]:
    """Await within `seconds`; return the result, or None with the code of what went wrong."""
    try:
        async with asyncio.timeout(seconds):
            return await doing, None
    except TimeoutError:
        return None, "late"
    except SupportError as failure:
        return None, failure.code
    except Exception as bug:  # noqa: BLE001 - I5: a defect in one stage must not lose the ticket; it is on record
        return None, f"bug:{type(bug).__name__} at {_place(bug)}"


def _place(bug: Exception) -> str:
    """Where it was raised; never what it says, which may quote the customer."""
    frame = extract_tb(bug.__traceback__)[-1]
    return f"{PurePath(frame.filename).name}:{frame.lineno}"

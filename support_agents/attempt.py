"""One drafter heard to the end or to its deadline, each sentence checked as it comes; it keeps only whole ones."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import PurePath
from traceback import extract_tb
from typing import TypeVar, cast

from support_agents.agents.protocol import SentenceCheck, SentenceVerdict, StreamEnd, Streaming
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.domain.sections import (
    ComplianceGiven,
    ComplianceSection,
    DraftSection,
    Rung,
    Sentence,
    Verdict,
    written,
)

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
        return self.draft.rung is not Rung.MACRO or self.compliance.verdict is Verdict.PASS


@dataclass
class _Heard:
    """What a stream has given so far; all verdicts, and the sentences that may stay."""

    kept: list[Sentence] = field(default_factory=list)
    verdicts: list[SentenceVerdict] = field(default_factory=list)
    end: StreamEnd | None = None
    fault: str = ""


async def attempt(
    drafter: Streaming, check: SentenceCheck, given: ComplianceGiven, run: Run, *, shortest: int
) -> Attempt:
    """Listen until `run.deadline`; a draft that was cut counts if at least `shortest` characters state something."""
    heard = _Heard()
    try:
        async with asyncio.timeout(run.deadline.remaining):
            await _listen(heard, drafter, check, given, run)
    except TimeoutError:
        heard.fault = "the drafter ran out of time"
    except SupportError as error:
        heard.fault = f"the drafter gave up ({error.code})"
    return _concluded(heard, check, given, shortest=shortest)


async def _listen(heard: _Heard, drafter: Streaming, check: SentenceCheck, given: ComplianceGiven, run: Run) -> None:
    stream = cast("AsyncGenerator[Sentence | StreamEnd]", drafter.stream(given.drafting, run))
    async with aclosing(stream):
        async for item in stream:
            if isinstance(item, StreamEnd):
                heard.end = item
                return
            verdict = check.check(item, len(heard.verdicts), given)
            heard.verdicts.append(verdict)
            if verdict.keep:
                heard.kept.append(item)


def _concluded(heard: _Heard, check: SentenceCheck, given: ComplianceGiven, *, shortest: int) -> Attempt:
    end = heard.end
    whole = end is not None and end.complete
    said = written([sentence for sentence in heard.kept if not sentence.courtesy])
    if not heard.verdicts or (not whole and len(said) < shortest):
        return Attempt(reason=heard.fault or "the drafter found nothing it could state")
    rung = Rung.SHORTENED if end is None or (not end.complete and end.rung is Rung.DRAFTED) else end.rung
    kept = tuple(heard.kept)
    draft = DraftSection(
        rung=rung,
        sentences=kept,
        text=written(kept),
        model=end.model if end else "",
        prompt_version=end.prompt_version if end else "",
        open_asks=end.open_asks if end else (),
    )
    compliance = check.close(kept, tuple(heard.verdicts), given)
    blocked = "" if compliance.verdict is not Verdict.BLOCKED else "the checks left too little of the draft"
    return Attempt(draft=draft, compliance=compliance, reason=heard.fault or blocked)


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

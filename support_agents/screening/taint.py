"""What follows from a verdict: tainted sentences leave the text, tainted passages the evidence; it judges nothing."""

import asyncio
from collections.abc import Iterator

from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.sections import RetrievalSection, ScreeningSection
from support_agents.ports import Vector
from support_agents.screening import injection
from support_agents.screening.detection import Detector, Verdict


async def judged(
    detector: Detector | None, screened: ScreeningSection, original: str, vector: Vector
) -> ScreeningSection:
    """Return the section with what is found in its clean text: marked in `original`, gone from the clean text.

    `vector` is the embedding of the clean text. Without a detector the section stays as the rules left it.
    """
    verdict = await detector.judge(screened.clean_text, vector) if detector else None
    if verdict is None or not verdict.findings:
        return screened
    reasons = (f"the message {finding.reason}" for finding in verdict.findings)
    return screened.model_copy(
        update={
            "injection": True,
            "injection_spans": tuple(sorted({*screened.injection_spans, *_places(screened, verdict, original)})),
            "reasons": tuple(dict.fromkeys((*screened.reasons, *reasons))),
            "clean_text": injection.without(screened.clean_text, verdict.findings),
        }
    )


async def untainted(detector: Detector | None, found: RetrievalSection) -> RetrievalSection:
    """Return the section without the passages that try to instruct the software; their titles stay on record."""
    if detector is None:
        return found
    verdicts = await asyncio.gather(*(_judged(detector, retrieved) for retrieved in found.passages))
    kept = tuple(one for one, verdict in zip(found.passages, verdicts, strict=True) if not verdict.findings)
    left_out = tuple(
        one.passage.title for one, verdict in zip(found.passages, verdicts, strict=True) if verdict.findings
    )
    return found.model_copy(update={"passages": kept, "tainted": left_out}) if left_out else found


async def _judged(detector: Detector, retrieved: RetrievedPassage) -> Verdict:
    """Judge a passage once: its id changes with its content."""
    passage = retrieved.passage
    return await detector.judge_again(str(passage.id), f"{passage.title}\n{passage.heading}\n{passage.text}")


def _places(screened: ScreeningSection, verdict: Verdict, original: str) -> Iterator[tuple[int, int]]:
    """Yield where the found sentences stand in the original, which has quoted history and other spaces besides."""
    for finding in verdict.findings:
        sentence = screened.clean_text[finding.start : finding.end].strip()
        at = original.find(sentence)
        if at >= 0:
            yield at, at + len(sentence)

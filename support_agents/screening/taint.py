"""What follows from a verdict: tainted sentences leave the text, tainted passages the evidence; it judges nothing."""

from collections.abc import Iterator

from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.sections import RetrievalSection, ScreeningSection
from support_agents.ports import Vector
from support_agents.screening import injection
from support_agents.screening.detection import Detector, Verdict

# The head reads the vectors of an encoder for English; of other languages it takes many an ordinary wish for orders
# (docs/quality.md).
HEAD_LANGUAGE = "en"


async def judged(
    detector: Detector | None, screened: ScreeningSection, original: str, vector: Vector
) -> ScreeningSection:
    """Return the section with what is found in its clean text: marked in `original`, gone from the clean text.

    `vector` is the embedding of the clean text. Without a detector the section stays as the rules left it. In a
    language that the head was not made for, what it alone finds is marked and stays: too often it is an ordinary wish.
    """
    if detector is None:
        return screened
    verdict = await detector.judge(screened.clean_text, vector)
    if not verdict.findings:
        return screened.model_copy(update={"head": verdict.head})
    by_rule = injection.find_all(screened.clean_text)
    believed = verdict.findings if screened.language == HEAD_LANGUAGE else by_rule
    reasons = (f"the message {finding.reason}" for finding in verdict.findings)
    return screened.model_copy(
        update={
            "head": verdict.head,
            "injection": True,
            "injection_spans": tuple(sorted({*screened.injection_spans, *_places(screened, verdict, original)})),
            "reasons": tuple(dict.fromkeys((*screened.reasons, *reasons))),
            "doubted": len(believed) < len(verdict.findings),
            "clean_text": injection.without(screened.clean_text, believed),
        }
    )


def untainted(detector: Detector | None, found: RetrievalSection) -> RetrievalSection:
    """Return the section without the passages that try to instruct the software; their titles stay on record.

    Rules alone judge a passage: help articles tell their readers what to do, and the head takes one in five of a
    German shop's for orders to the software.
    """
    if detector is None:
        return found
    left_out = tuple(one for one in found.passages if _is_tainted(one))
    kept = tuple(one for one in found.passages if one not in left_out)
    titles = tuple(one.passage.title for one in left_out)
    return found.model_copy(update={"passages": kept, "tainted": titles}) if left_out else found


def _is_tainted(retrieved: RetrievedPassage) -> bool:
    passage = retrieved.passage
    return bool(injection.find_all(f"{passage.title}\n{passage.heading}\n{passage.text}"))


def _places(screened: ScreeningSection, verdict: Verdict, original: str) -> Iterator[tuple[int, int]]:
    """Yield where the found sentences stand in the original, which has quoted history and other spaces besides."""
    for finding in verdict.findings:
        sentence = screened.clean_text[finding.start : finding.end].strip()
        at = original.find(sentence)
        if at >= 0:
            yield at, at + len(sentence)

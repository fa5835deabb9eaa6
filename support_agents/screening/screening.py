"""What is known of a message before any agent sees it: language, injection, and the words that are worth reading."""

from collections.abc import Sequence

from support_agents.domain.sections import ScreeningSection
from support_agents.domain.ticket import Attachment
from support_agents.screening import injection, language, quoting
from support_agents.screening.disguise import visible

LONGEST = 20_000


def screen(
    text: str, subject: str = "", attachments: Sequence[Attachment] = (), *, default_language: str = "en"
) -> ScreeningSection:
    """Screen the newest message; `injection_spans` point into `text` as it was given, quoted history included.

    Subject and file names are looked at for injection too. The language is that of the newest words, or of the
    subject where they are too few.
    """
    text = text[:LONGEST]
    found = injection.find_all(text)
    beside = injection.find("\n".join((subject, *(attachment.filename for attachment in attachments))))
    newest = quoting.newest(text)
    clean = visible(injection.without(newest, injection.find_all(newest))).strip()
    spoken = language.detect(clean, default="", confidence=language.CONFIDENCE)
    if not spoken.code:
        spoken = language.detect(f"{subject}\n{clean}", default=default_language)
    return ScreeningSection(
        language=spoken.code,
        language_confidence=spoken.confidence,
        injection=bool(found or beside),
        injection_spans=tuple((finding.start, finding.end) for finding in found),
        reasons=_reasons(found, beside),
        clean_text=clean,
    )


def spoken_before(screened: ScreeningSection, earlier: Sequence[str]) -> ScreeningSection:
    """Take the language of the customer's `earlier` messages, oldest first, where the newest does not tell its own."""
    if screened.language_confidence > 0:
        return screened
    for text in reversed(earlier):
        spoken = language.detect(quoting.newest(text[:LONGEST]), default="")
        if spoken.code:
            return screened.model_copy(update={"language": spoken.code, "language_confidence": spoken.confidence})
    return screened


def _reasons(found: Sequence[injection.Finding], beside: Sequence[injection.Finding]) -> tuple[str, ...]:
    in_text = (f"the message {finding.reason}" for finding in found)
    elsewhere = (f"the subject or a file name {finding.reason}" for finding in beside)
    return tuple(dict.fromkeys((*in_text, *elsewhere)))

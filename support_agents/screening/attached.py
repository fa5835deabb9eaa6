"""What files from outside say, without the sentences that try to instruct the software; rules alone judge them."""

from collections.abc import Sequence

from support_agents.domain.sections import AttachedWords, ScreeningSection
from support_agents.domain.ticket import AttachedText
from support_agents.screening import injection
from support_agents.screening.disguise import visible

# Characters of all files together that a run reads; a page of text has about three thousand.
LONGEST = 6_000


def is_tainted(text: str) -> bool:
    """Whether a sentence in it tries to instruct the software."""
    return bool(injection.find_all(text))


def spotless(name: str) -> str:
    """A file's name without what in it tries to instruct the software."""
    return injection.without(name, injection.find(name))


def with_attached(
    screened: ScreeningSection, files: Sequence[AttachedText], names: Sequence[str] = ()
) -> ScreeningSection:
    """Return the section with what the files say, the first ones whole as far as there is room.

    `names` are those of all files of the message, read or not. A file with a tainted sentence, also in a part that is
    not read here, counts as an attempt on the software: the same follows as from the message. No place in the message
    is marked, and what is asked for stays the message's.
    """
    words, room = [], LONGEST
    tainted = any(injection.find(name) for name in names)
    for file in files:
        beginning = file.text[:room]
        found = injection.find_all(beginning)
        tainted = tainted or file.tainted or bool(found)
        text = visible(injection.without(beginning, found)).strip()
        words += [AttachedWords(filename=spotless(file.filename), text=text)] if text else []
        room -= len(beginning)
    if not words and not tainted:
        return screened
    reasons = ("an attached file or its name tries to instruct the software",) if tainted else ()
    return screened.model_copy(
        update={
            "attached": tuple(words),
            "injection": screened.injection or tainted,
            "reasons": tuple(dict.fromkeys((*screened.reasons, *reasons))),
        }
    )

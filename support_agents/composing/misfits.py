"""Why a reply that is like the message is none to it (another cause, no such answer); it mends none."""

from collections.abc import Sequence
from functools import lru_cache

from support_agents.composing.contradictions import contradicted
from support_agents.composing.explaining import Told, forms
from support_agents.domain.macro import BoundCase, BoundMacro
from support_agents.wording.addresses import asks_for_address, gives_address
from support_agents.wording.causes import causes_in
from support_agents.wording.further import further_requests
from support_agents.wording.kinds import overlooked
from support_agents.wording.questions import (
    asks_if_done,
    gives,
    polarity_fits,
    says_now,
    says_refunded,
    tells_that_refunded,
    wanted_by,
)

# Of the words of a further request, at least this share must stand in a reply that takes it up.
_TAKEN_UP = 1 / 3
# What happens to every parcel that is asked after is no cause of its own.
_ORDINARY = frozenset({"not_here", "late"})


def misfit(told: Told, taken: Sequence[tuple[BoundMacro, BoundCase]], said: str, whole: str = "") -> str:
    """Return why `said`, the sentences of what was taken, does not answer the message; empty where nothing tells so.

    A cause that the message tells must be one that the macros are asked about: what is true of returning says nothing
    to somebody whose tent lacks a pole. A question after a length of time or a price must be given one,
    and what the message names must be told of where its articles tell it apart. `whole` is the
    message where `told` is a part of it.
    """
    whole = whole or told.text
    if contradicted(whole, taken):
        return "a condition that it states is not met"
    other = causes_in(whole) - _taken_up(taken) - _ORDINARY
    if other:
        return f"the message tells of something else: {', '.join(sorted(other))}"
    if unfit := _unasked(whole, taken, said) or _left_open(told.text, said):
        return unfit
    if missed := overlooked(whole, said, _evidence(taken)):
        return f"there is a rule of its own for what the message names: {', '.join(missed)}"
    lacking = [kind for ask in (told.text, *told.asks) for kind in wanted_by(ask) if not gives(kind, said)]
    return f"it gives no {lacking[0]}" if lacking else ""


def _unasked(text: str, taken: Sequence[tuple[BoundMacro, BoundCase]], said: str) -> str:
    """Why a reply says what nobody asked: yes or no to another question, or what the message tells or gives itself."""
    sentences = [sentence.text for _, case in taken for sentence in case.sentences]
    if asks_for_address(said) and gives_address(text):
        return "it asks for an address that is in the message"
    if asks_if_done(text) and _acts(taken) and not says_now(said):
        return "it says that something was done as if it had been done before the question"
    if not all(polarity_fits(one, text) for one in sentences):
        return "it says yes or no to what was not asked so"
    if tells_that_refunded(text) and sentences and all(says_refunded(one) for one in sentences):
        return "it says only what the message tells itself"
    return ""


def _left_open(text: str, said: str) -> str:
    """Why a reply leaves a further request unanswered; empty if it does not."""
    left = next((one for one in further_requests(text) if not _takes_up(one, said)), "")
    return left and f"it does not take up what else is asked: {left}"


def _takes_up(request: str, said: str) -> bool:
    """Whether the reply has some of the words of a request, or these tell nothing."""
    words = forms(request)
    return len(words & forms(said)) >= _TAKEN_UP * len(words)


def _acts(taken: Sequence[tuple[BoundMacro, BoundCase]]) -> bool:
    """Whether a sentence states a step that is only proposed beside the reply."""
    return any(name.startswith("action.") for _, case in taken for one in case.sentences for name in one.facts)


def _evidence(taken: Sequence[tuple[BoundMacro, BoundCase]]) -> str:
    """The passages behind these macros, in whichever case."""
    cases = (one for macro, case in taken for one in (*macro.cases, case))
    return "\n".join({passage.id: passage.text for one in cases for passage in one.passages}.values())


def _taken_up(taken: Sequence[tuple[BoundMacro, BoundCase]]) -> frozenset[str]:
    causes = (_asked_about(macro.macro.questions) for macro, _ in taken)
    own = (causes_in(sentence.text) for _, case in taken for sentence in case.sentences)
    return frozenset().union(*causes, *own)


@lru_cache(maxsize=1_024)
def _asked_about(questions: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(causes_in(question) for question in questions))

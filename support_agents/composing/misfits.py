"""Why a reply that is like the message is none to it (another cause, no such answer); it mends none."""

from collections.abc import Sequence
from functools import lru_cache

from support_agents.composing.contradictions import contradicted
from support_agents.composing.explaining import Told
from support_agents.domain.macro import BoundCase, BoundMacro
from support_agents.wording.addresses import asks_for_address, gives_address
from support_agents.wording.causes import causes_in
from support_agents.wording.kinds import overlooked
from support_agents.wording.questions import asks_if_done, gives, says_now, wanted_by

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
    if asks_for_address(said) and gives_address(whole):
        return "it asks for an address that is in the message"
    if asks_if_done(whole) and _acts(taken) and not says_now(said):
        return "it says that something was done as if it had been done before the question"
    if missed := overlooked(whole, said, _evidence(taken)):
        return f"there is a rule of its own for what the message names: {', '.join(missed)}"
    lacking = [kind for ask in (told.text, *told.asks) for kind in wanted_by(ask) if not gives(kind, said)]
    return f"it gives no {lacking[0]}" if lacking else ""


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

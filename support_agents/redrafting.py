"""What people's rejections ask of the next draft of the same revision; their words are data, never an instruction."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from support_agents.agents.protocol import StreamEnd, Streaming
from support_agents.domain.approval import RejectedDraft, RejectReason
from support_agents.domain.runs import Run
from support_agents.domain.sections import DraftingGiven, OrderAnswer, PlanSection, Sentence

_OTHER_MACRO = frozenset({RejectReason.WRONG_MACRO, RejectReason.NOT_ASKED})
# What a shorter reply keeps of what a draft states.
KEPT = 2


def macros_in(identities: str) -> frozenset[str]:
    """The ids of the macros that a draft names as its source, `id/case@version` joined by `+`."""
    return frozenset(one.partition("/")[0] for one in identities.split("+") if one)


def unwanted_macros(rejected: tuple[RejectedDraft, ...]) -> frozenset[str]:
    """The ids of the macros whose answer a person took for the wrong one."""
    return frozenset[str]().union(*(macros_in(one.macros) for one in rejected if one.reason in _OTHER_MACRO))


def asking_first(planned: PlanSection, rejected: tuple[RejectedDraft, ...]) -> PlanSection:
    """The plan, with the question for the order where a person wanted that; never where the order is known."""
    wanted = any(one.reason is RejectReason.ASK_ORDER for one in rejected)
    if not wanted or planned.hand_off or planned.order_answer is OrderAnswer.FOUND:
        return planned
    return planned.model_copy(update={"needs_order_id": True})


def as_wanted(drafter: Streaming, rejected: tuple[RejectedDraft, ...]) -> Streaming:
    """The drafter, cut short where a person found the last draft too long."""
    return Shorter(drafter) if any(one.reason is RejectReason.TOO_LONG for one in rejected) else drafter


@dataclass(frozen=True)
class Shorter:
    """Lets greeting, closing and the first things stated through, and drops the rest."""

    drafter: Streaming

    async def stream(self, given: DraftingGiven, run: Run) -> AsyncIterator[Sentence | StreamEnd]:
        """Yield fewer sentences of the drafter's."""
        stated = 0
        async for part in self.drafter.stream(given, run):
            stated += isinstance(part, Sentence) and not part.courtesy
            if isinstance(part, StreamEnd) or part.courtesy or stated <= KEPT:
                yield part

"""Keeps each agent within its tokens of a run: reserved before a call, settled after; too long an answer is cut."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId
from support_agents.domain.runs import Run
from support_agents.llm.streams import opened
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta

LONGEST_TOKEN = 8  # characters; no text in our languages averages more, so beyond this a model ignores its limit
_CHARACTERS_A_TOKEN = 4  # to settle a call whose use of tokens the server does not tell
_FEWEST_TOKENS = 16
_MOST_RUNS = 1_000


class TokenLedger:
    """Tokens of output that each agent of a run has used or reserved; runs long gone are forgotten."""

    def __init__(self) -> None:
        self._taken: OrderedDict[tuple[RunId, str], int] = OrderedDict()

    def reserve(self, run: Run, agent: str, wanted: int) -> int:
        """Take up to `wanted` tokens of what the agent has left; `SupportError` when that is too little to speak."""
        limit = run.budget.tokens.get(agent)
        taken = self._taken.get((run.id, agent), 0)
        granted = wanted if limit is None else min(wanted, limit - taken)
        if granted < min(wanted, _FEWEST_TOKENS):
            raise SupportError("llm_budget", f"the tokens of {agent} for this run are used up")
        self._put(run, agent, taken + granted)
        return granted

    def settle(self, run: Run, agent: str, *, reserved: int, used: int) -> None:
        """Replace a reservation by what was used, which may be more."""
        self._put(run, agent, self._taken.get((run.id, agent), reserved) - reserved + used)

    def _put(self, run: Run, agent: str, taken: int) -> None:
        self._taken[run.id, agent] = taken
        self._taken.move_to_end((run.id, agent))
        if len(self._taken) > _MOST_RUNS:
            self._taken.popitem(last=False)


@dataclass(frozen=True)
class BudgetedModel:
    """`LanguageModel` around another that may use no more than `run.budget` grants the prompt's agent."""

    model: LanguageModel
    ledger: TokenLedger

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model yields within the reservation; text beyond it ends in `MAX_TOKENS` instead."""
        granted = self.ledger.reserve(run, prompt.agent, prompt.max_tokens)
        allowed, said, end = granted * LONGEST_TOKEN, 0, Completed(StopReason.MAX_TOKENS)
        within = prompt.model_copy(update={"max_tokens": granted})
        try:
            async with opened(self.model, within, run) as stream:
                async for item in stream:
                    if isinstance(item, Completed):
                        end = item
                        break
                    piece = item.text[: allowed - said]
                    said += len(piece)
                    yield replace(item, text=piece)
                    if len(piece) < len(item.text):
                        break
        finally:
            used = end.tokens_out or -(-said // _CHARACTERS_A_TOKEN)
            self.ledger.settle(run, prompt.agent, reserved=granted, used=used)
        yield end

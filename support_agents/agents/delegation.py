"""The path along which agents hand work to one another: it ends at a depth and never comes back to an agent on it."""

from dataclasses import dataclass

from support_agents.domain.budget import Budget
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Delegate


@dataclass(frozen=True)
class DelegationPath:
    """The agents that have the work, the present one last."""

    agents: tuple[str, ...]

    def to(self, delegate: Delegate, budget: Budget) -> "DelegationPath":
        """Return the path one agent longer; `loop_detected` or `too_deep` names the whole path."""
        path = (*self.agents, delegate.to)
        told = f"{' → '.join(path)} ({delegate.reason})"
        if delegate.to in self.agents:
            raise SupportError("loop_detected", f"an agent would get its own work back: {told}")
        if len(path) - 1 > budget.max_depth:
            raise SupportError("too_deep", f"work may be handed on {budget.max_depth} times: {told}")
        return DelegationPath(path)

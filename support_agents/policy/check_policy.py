"""How the checks of drafts are set: severities, word lists and when two reviews argue; it checks nothing itself."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.money import Currency
from support_agents.domain.sections import Severity


class Uncovered(StrEnum):
    """What becomes of a claim about days, money or eligibility that no clause speaks of."""

    QUOTED = "quoted"  # it may stand if its cited article has it
    DROP = "drop"  # it may not


class DebateRules(BaseModel):
    """Which drafts two reviews argue about, and how much they may use; off while nothing is listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    refund_over_minor: Mapping[Currency, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="minor units; above, it is high"
    )
    intents: tuple[str, ...] = ()
    words: tuple[str, ...] = Field(default=(), description="in the customer's message, in any of its languages")
    rounds: int = Field(default=1, ge=1, le=3)
    tokens: int = Field(default=120, ge=20, le=600, description="of one review, at most")

    @property
    def is_on(self) -> bool:
        """Whether anything is listed."""
        return bool(self.refund_over_minor or self.intents or self.words)


class CheckPolicy(BaseModel):
    """The part `checks` of the policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Mapping[str, Severity] = Field(default_factory=dict, description="by check; others keep their own")
    competitors: tuple[str, ...] = ()
    legal_phrases: tuple[str, ...] = Field(default=(), description="beside the ones that are built in")
    safe_hosts: tuple[str, ...] = Field(
        default=(), description="hosts a draft may link to beside those of its passages"
    )
    uncovered_claims: Uncovered = Uncovered.QUOTED
    debate: DebateRules = DebateRules()

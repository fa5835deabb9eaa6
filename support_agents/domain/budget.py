"""Limits of what a run may use; what was used is counted elsewhere, beside the calls."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Budget(BaseModel):
    """Tokens each agent may ask of a model in one run, and how deep delegation may go."""

    model_config = ConfigDict(frozen=True)

    tokens: Mapping[str, int] = Field(
        default_factory=lambda: {"intent": 400, "retrieval": 200, "drafting": 1_600, "compliance": 800}
    )
    max_depth: int = 3


# For a text that no model may read.
NO_MODEL = Budget(tokens=dict.fromkeys(Budget().tokens, 0))

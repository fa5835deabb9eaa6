"""What the customer wants, as far as a model could tell, and the entities that rules found."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

UNKNOWN = "unknown"


class EntityKind(StrEnum):
    """Kinds of typed values in a message; data, never authority."""

    ORDER_ID = "order_id"
    AMOUNT = "amount"
    DATE = "date"


class Entity(BaseModel):
    """A value at `text[start:end]` of the message; `value` is normalised (minor units with currency, ISO date)."""

    model_config = ConfigDict(frozen=True)

    kind: EntityKind
    value: str
    start: int
    end: int


class IntentScore(BaseModel):
    """One class with its calibrated probability."""

    model_config = ConfigDict(frozen=True)

    name: str
    probability: float = Field(ge=0, le=1)


class Ask(BaseModel):
    """One thing the customer asks for: the words at `start:end` of the message and their intent."""

    model_config = ConfigDict(frozen=True)

    text: str
    start: int
    end: int
    intent: IntentScore


class Correction(BaseModel):
    """A message with the intent a person gave it beside the model's guess; personal identifiers are masked."""

    model_config = ConfigDict(frozen=True)

    text: str
    language: str
    guessed: str
    intent: str
    model_version: str

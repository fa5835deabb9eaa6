"""What tokens cost, read from a price table (YAML); it knows no price by itself and asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support_agents.domain.errors import SupportError

_MILLION = 1_000_000


class Price(BaseModel):
    """US dollars for a million tokens of one model, and where and when that was published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float = Field(ge=0, description="of input that the provider had in its cache")
    source: str
    as_of: date


@dataclass(frozen=True)
class Tokens:
    """Tokens of one call; `read` counts the `cached` ones as well."""

    read: int
    written: int
    cached: int = 0


@dataclass(frozen=True)
class Prices:
    """Prices by model name as the provider writes it."""

    by_model: Mapping[str, Price]

    def find(self, model: str) -> Price | None:
        """Return the price of `provider:model`: that model's, or its family's where a dated name is asked for."""
        name = model.partition(":")[2] or model
        families = [known for known in self.by_model if name == known or name.startswith(f"{known}-2")]
        return self.by_model[max(families, key=len)] if families else None

    def cost(self, model: str, tokens: Tokens) -> int:
        """Return millionths of a US dollar; 0 for a model without a price."""
        price = self.find(model)
        if price is None:
            return 0
        fresh = max(0, tokens.read - tokens.cached)
        # Dollars a million tokens are millionths of a dollar a token.
        return round(fresh * price.input + tokens.cached * price.cached + tokens.written * price.output)


FREE = Prices({})


@cache
def shipped_prices() -> Prices:
    """Return the table that comes with the product."""
    return parse_prices(files(__package__ or "").joinpath("prices.yaml").read_text(encoding="utf-8"))


def load_prices(path: Path | None) -> Prices:
    """Return the shipped table, overlaid by an installation's own file; `SupportError` names what is wrong in it."""
    if path is None:
        return shipped_prices()
    try:
        own = parse_prices(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SupportError("prices_invalid", f"{path}: {error.strerror}") from error
    return Prices({**shipped_prices().by_model, **own.by_model})


def parse_prices(text: str) -> Prices:
    """Read a table: model name to `input`, `output`, `cached`, `source`, `as_of`."""
    try:
        rows = yaml.safe_load(text) or {}
        return Prices({str(name): Price.model_validate(row) for name, row in rows.items()})
    except (yaml.YAMLError, ValidationError, AttributeError) as error:
        raise SupportError("prices_invalid", f"the price table cannot be read: {error}") from error

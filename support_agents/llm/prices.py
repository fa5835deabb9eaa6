"""What tokens cost, read from a price table (YAML); it knows no price by itself and asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from support_agents.own_files import OwnFile

_MILLION = 1_000_000


class Price(BaseModel):
    """US dollars for a million tokens of one model, and where and when that was published."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float = Field(ge=0, description="of input that the provider had in its cache")
    to_cache: float | None = Field(default=None, ge=0, description="of input that it put there; empty: as other input")
    source: str
    as_of: date


@dataclass(frozen=True)
class Tokens:
    """Tokens of one call; `read` counts the `cached` ones and those put `to_cache` as well."""

    read: int
    written: int
    cached: int = 0
    to_cache: int = 0


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
        fresh = max(0, tokens.read - tokens.cached - tokens.to_cache)
        to_cache = price.input if price.to_cache is None else price.to_cache
        # Dollars a million tokens are millionths of a dollar a token.
        read = fresh * price.input + tokens.cached * price.cached + tokens.to_cache * to_cache
        return round(read + tokens.written * price.output)


FREE = Prices({})


@cache
def shipped_prices() -> Prices:
    """Return the table that comes with the product."""
    rows = yaml.safe_load(files(__package__ or "").joinpath("prices.yaml").read_text(encoding="utf-8"))
    return Prices({name: Price.model_validate(row) for name, row in rows.items()})


def load_prices(path: Path | None) -> Prices:
    """Return the shipped table, overlaid by an installation's own file.

    The file has a row for each model: its name to `input`, `output`, `cached`, `source` and `as_of`, and `to_cache`
    where that costs more. `SupportError` names file, model and field of what is wrong in it.
    """
    if path is None:
        return shipped_prices()
    own = OwnFile(path, "prices_invalid", "SUPPORT_LLM_PRICES")
    rows = own.parsed(own.read()) or {}
    if not isinstance(rows, dict):
        raise own.refused("needs a row for each model: its name, then input, output, cached, source and as_of")
    return Prices(
        {**shipped_prices().by_model, **{str(name): own.part(Price, row, str(name)) for name, row in rows.items()}}
    )

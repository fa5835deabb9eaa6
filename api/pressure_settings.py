"""The settings of what happens when more comes in than can be done, a part of `api.settings`; they call nobody."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

Pairs = Annotated[tuple[str, ...], NoDecode]
_STORES = ("redis", "rediss")
_LIMIT = re.compile(r"[a-z]{1,50}=[1-9]\d{0,8}/(second|minute|hour|day)")


class PressureSettings(BaseModel):
    """When drafts become cheaper, when a helpdesk is asked to come again later, and how often each source may come."""

    hurry_events: int = Field(
        default=64, ge=1, le=100_000, description="So many messages wait for a run: drafts are made without a model."
    )
    hurry_seconds: float = Field(
        default=1.0, gt=0, le=3_600, description="The same, when the oldest of them has waited for so long."
    )
    refuse_events: int = Field(
        default=2_000,
        ge=1,
        le=100_000,
        description="So many messages wait: a source that delivers again is answered 429 until fewer do.",
    )
    refuse_seconds: float = Field(
        default=60.0, gt=0, le=86_400, description="The same, when the oldest of them has waited for so long."
    )
    retrying_sources: Pairs = Field(
        default=("standard", "zendesk"),
        description="Sources that deliver again after a 429, comma separated; whatever others send is always taken.",
    )
    rate_limits: Pairs = Field(
        default=(),
        description="Signed deliveries a source may make, as `zendesk=600/minute`, comma separated; none: no limit.",
    )
    rate_limits_url: SecretStr | None = Field(
        default=None,
        description="`redis://…` where all APIs count together; empty: a broker that is Redis, or each for itself.",
    )

    @field_validator("retrying_sources", "rate_limits", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        """Take `a, b` as well as a sequence."""
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("rate_limits")
    @classmethod
    def _limits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what cannot be counted, here rather than at the first webhook."""
        if not all(_LIMIT.fullmatch(pair) for pair in value):
            raise ValueError("write each as `zendesk=600/minute` (second, minute, hour or day)")
        return value

    @field_validator("rate_limits_url", mode="before")
    @classmethod
    def _no_store(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return value or None

    @field_validator("rate_limits_url")
    @classmethod
    def _store(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in _STORES:
            raise ValueError("write `redis://host:6379/0`")
        return value

"""The settings of those who run an installation, a part of `api.settings`: who may scrape, how long migrations wait."""

from pydantic import BaseModel, Field, field_validator

from api.model_settings import checked_url


class OperatingSettings(BaseModel):
    """What watches an installation and what brings its schema up to date."""

    metrics_on_loopback: bool = Field(
        default=False,
        description="Whether `/metrics` needs no token from this machine; a proxy here counts as this machine.",
    )
    traces_url: str = Field(
        default="",
        description="Where runs are sent as OTLP spans over HTTP, as `http://phoenix:6006/v1/traces`; empty: nowhere.",
    )
    migration_lock_seconds: float = Field(
        default=5,
        gt=0,
        le=3600,
        description="PostgreSQL: a migration gives up when a table is held by others for so long; nothing has changed.",
    )
    migration_statement_seconds: float = Field(
        default=900, gt=0, le=86_400, description="PostgreSQL: longest single statement of a migration."
    )

    @field_validator("traces_url")
    @classmethod
    def _traces(cls, value: str) -> str:
        return checked_url(value)

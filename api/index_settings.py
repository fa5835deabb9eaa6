"""The settings of the passage index, a part of `api.settings`; nothing is called to check them."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from api.model_settings import checked_url


class IndexSettings(BaseModel):
    """Where passages are searched: in the process's own folder, or on a Qdrant server."""

    qdrant_url: str = Field(
        default="",
        description="A Qdrant server (`http://127.0.0.1:6333`) to search in; empty: an index in the data folder.",
    )
    qdrant_api_key: SecretStr | None = Field(default=None, description="Its key, if it wants one.")

    @field_validator("qdrant_api_key", mode="before")
    @classmethod
    def _no_key(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return None if value == "" else value

    @field_validator("qdrant_url")
    @classmethod
    def _server(cls, value: str) -> str:
        return checked_url(value)

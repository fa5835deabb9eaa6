"""The settings of the passage index, a part of `api.settings`; nothing is called to check them."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from api.choices import VectorPooling
from api.model_settings import PREFIX, checked_url


class IndexSettings(BaseModel):
    """Where passages are searched, and by which embedder."""

    qdrant_url: str = Field(
        default="",
        description="A Qdrant server (`http://127.0.0.1:6333`) to search in; empty: an index in the data folder.",
    )
    qdrant_api_key: SecretStr | None = Field(default=None, description="Its key, if it wants one.")
    search_model: Path | None = Field(
        default=None,
        description="A second embedder for search alone (ONNX file or its folder), as a multilingual one; empty: none.",
    )
    search_tokenizer: Path | None = Field(
        default=None, description="Its tokenizer; empty: `tokenizer.json` beside the model."
    )
    search_pooling: VectorPooling = Field(
        default=VectorPooling.MEAN, description="How it makes one vector of a text: `mean` or `cls`."
    )
    search_query_prefix: str = Field(
        default="", description="What it wants before a question (`query:`); after a colon comes a space."
    )
    search_passage_prefix: str = Field(
        default="", description="What it wants before a passage (`passage:`); after a colon comes a space."
    )
    search_max_tokens: int = Field(
        default=192, ge=16, le=8_192, description="Tokens of a text that it reads; more take longer."
    )

    @field_validator("qdrant_api_key", "search_model", "search_tokenizer", mode="before")
    @classmethod
    def _unnamed(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return None if value == "" else value

    @field_validator("qdrant_url")
    @classmethod
    def _server(cls, value: str) -> str:
        return checked_url(value)

    @field_validator("search_query_prefix", "search_passage_prefix")
    @classmethod
    def _spaced(cls, value: str) -> str:
        """Put the space back that files of variables often lose at the end."""
        return f"{value} " if value.endswith(":") else value

    @model_validator(mode="after")
    def _of_a_model(self) -> "IndexSettings":
        """Refuse what would have no effect."""
        said = (self.search_tokenizer, self.search_query_prefix, self.search_passage_prefix)
        if self.search_model is None and (any(said) or self.search_pooling is not VectorPooling.MEAN):
            raise ValueError(f"{PREFIX}SEARCH_MODEL is needed with the other settings of {PREFIX}SEARCH_…")
        return self

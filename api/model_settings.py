"""The settings of language models, a part of `api.settings`; nothing is called to check them."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from api.choices import AccountLanguage, ChatApi, PiiRecogniser, Provider

PREFIX = "SUPPORT_"


def checked_url(value: str) -> str:
    """Refuse an address without a scheme; drop the closing slash."""
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("write the whole address, for example https://support.example.com")
    return value.rstrip("/")


class ModelSettings(BaseModel):
    """Who writes drafts, who else is asked, and what that may cost."""

    language: AccountLanguage = Field(
        default="en",
        description="ISO 639-1 code of the language that messages and articles are in where their words do not tell.",
    )

    llm_provider: Provider = Field(
        default=Provider.EXTRACTIVE,
        description="`extractive`, `openai`, `anthropic`, `fireworks`, `vllm`, `ollama`, `llama.cpp` or `lmstudio`.",
    )
    llm_model: str = Field(default="", description="Model name; not for `extractive`.")
    llm_base_url: str = Field(default="", description="Another address of its server; empty: the usual one.")
    llm_api_key: SecretStr | None = Field(default=None, description="Key of the provider.")
    llm_api: ChatApi = Field(default=ChatApi.CHAT, description="With `openai`: `chat` or `responses`.")
    llm_small_model: str = Field(
        default="", description="A cheaper model of the same provider for what is simple; empty: one for all."
    )
    llm_routing: Path | None = Field(
        default=None, description="Rules (YAML) of what is simple; empty: the built-in ones."
    )
    llm_second_provider: Provider | None = Field(
        default=None, description="Who is asked when the first is silent or fails; empty: nobody."
    )
    llm_second_model: str = Field(default="", description="Its model.")
    llm_second_base_url: str = Field(default="", description="Another address of its server; empty: the usual one.")
    llm_second_api_key: SecretStr | None = Field(default=None, description="Its key.")
    llm_prices: Path | None = Field(
        default=None, description="Prices (YAML) that overlay the built-in table; empty: that table alone."
    )
    llm_monthly_limit_usd: float | None = Field(
        default=None, ge=0, description="US dollars a month (UTC) after which a provider is not asked; empty: no limit."
    )
    llm_streams: int = Field(
        default=30, ge=1, le=500, description="Drafts streamed at once in this process; further ones quote at once."
    )
    llm_hedge_share: float = Field(
        default=0.25, ge=0, le=1, description="Share of calls that may have a second one beside them."
    )
    llm_hedge_point: float = Field(
        default=0.8, gt=0, lt=1, description="Of earlier calls so many had spoken when the second one starts."
    )

    llm_fuller_draft: bool = Field(
        default=False,
        description="Let a model that was cut at the deadline write its draft whole afterwards, and offer that.",
    )
    llm_fuller_seconds: float = Field(
        default=12.0, ge=3, le=120, description="Seconds that such a fuller draft may take; less than a lease."
    )
    pii_finder: PiiRecogniser = Field(
        default=PiiRecogniser.RULES,
        description="Who finds personal data in prompts for models outside: `rules`, or `presidio` (an extra) beside.",
    )
    pii_model: str = Field(
        default="", description="With `presidio`: an installed spaCy model for English that knows names; empty: none."
    )

    @field_validator("llm_second_provider", "llm_second_api_key", "llm_monthly_limit_usd", mode="before")
    @classmethod
    def _empty(cls, value: object) -> object:
        """Take an empty variable for one that is not set."""
        return None if value == "" else value

    @field_validator("llm_base_url", "llm_second_base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return checked_url(value)

    @model_validator(mode="after")
    def _named(self) -> "ModelSettings":
        """Refuse a provider without a model."""
        if self.llm_provider is not Provider.EXTRACTIVE and not self.llm_model:
            raise ValueError(f"{PREFIX}LLM_MODEL is needed with {PREFIX}LLM_PROVIDER={self.llm_provider}")
        if self.llm_second_provider is Provider.EXTRACTIVE:
            raise ValueError("the extractive drafter always works beside; name another provider, or none")
        if self.llm_second_provider is not None and not self.llm_second_model:
            raise ValueError(f"{PREFIX}LLM_SECOND_MODEL is needed with {PREFIX}LLM_SECOND_PROVIDER")
        return self

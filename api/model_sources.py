"""The language models that the settings name, in the order in which they are asked; it opens none of them."""

from dataclasses import dataclass, field, replace

from api.choices import Provider
from api.model_settings import PREFIX
from api.settings import Settings


@dataclass(frozen=True)
class Source:
    """A provider as the settings name it; its key is in none of its representations.

    `variable` begins the names of its settings, and `named_by` is the one that names this model.
    """

    provider: Provider
    model: str
    base_url: str
    key: str = field(repr=False)
    variable: str = f"{PREFIX}LLM"
    named_by: str = f"{PREFIX}LLM_MODEL"

    @property
    def asked_as(self) -> str:
        """Provider and model, as calls are recorded."""
        return f"{self.provider.value}:{self.model}"


def sources(settings: Settings) -> tuple[Source, ...]:
    """The providers in the order in which they are asked; none for the extractive drafter."""
    if settings.llm_provider is Provider.EXTRACTIVE:
        return ()
    key, second = settings.llm_api_key, settings.llm_second_api_key
    first = Source(
        settings.llm_provider, settings.llm_model, settings.llm_base_url, key.get_secret_value() if key else ""
    )
    if settings.llm_second_provider is None:
        return (first,)
    other = Source(
        settings.llm_second_provider,
        settings.llm_second_model,
        settings.llm_second_base_url,
        second.get_secret_value() if second else "",
        f"{PREFIX}LLM_SECOND",
        f"{PREFIX}LLM_SECOND_MODEL",
    )
    return first, other


def small_source(settings: Settings) -> Source | None:
    """The first provider with its cheaper model, which routes lead to and which judges short questions, if named."""
    found = sources(settings)
    if not found or not settings.llm_small_model:
        return None
    return replace(found[0], model=settings.llm_small_model, named_by=f"{PREFIX}LLM_SMALL_MODEL")


def every_source(settings: Settings) -> tuple[Source, ...]:
    """All of them, the cheaper model after the first one."""
    found, small = sources(settings), small_source(settings)
    return found if small is None else (found[0], small, *found[1:])

"""Servers that speak OpenAI's chat completions, by preset: where they listen and whether they want a key."""

from dataclasses import dataclass

from support_agents.adapters.openai.chat import OFFICIAL, OpenAiModel
from support_agents.domain.errors import SupportError

# The SDK wants a key even for a server that asks for none.
_NO_KEY = "none"


@dataclass(frozen=True)
class Preset:
    """What is known of a kind of server before it is asked; what it refuses is learnt when it does."""

    base_url: str
    needs_key: bool = False


PRESETS: dict[str, Preset] = {
    "openai": Preset(OFFICIAL, needs_key=True),
    "fireworks": Preset("https://api.fireworks.ai/inference/v1", needs_key=True),
    "vllm": Preset("http://127.0.0.1:8000/v1"),
    "ollama": Preset("http://127.0.0.1:11434/v1"),
    "llama.cpp": Preset("http://127.0.0.1:8080/v1"),
    "lmstudio": Preset("http://127.0.0.1:1234/v1"),
}


def openai_compatible(preset: str, *, model: str, api_key: str = "", base_url: str = "") -> OpenAiModel:
    """Return the model of a server; `SupportError` for a preset that is not known or a key that is missing."""
    found = PRESETS.get(preset)
    if found is None:
        raise SupportError("settings", f"no such kind of model server: {preset}; there are {', '.join(PRESETS)}")
    if found.needs_key and not api_key and not base_url:
        raise SupportError("settings", f"{preset} wants a key")
    return OpenAiModel(api_key=api_key or _NO_KEY, model=model, base_url=base_url or found.base_url, provider=preset)

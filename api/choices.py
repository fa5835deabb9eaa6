"""What some settings choose between; it reads no environment and loads nothing that is chosen."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from support_agents.wording.handing_off import spoken


class Provider(StrEnum):
    """Who writes drafts; `extractive` needs no key and opens no socket."""

    EXTRACTIVE = "extractive"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    FIREWORKS = "fireworks"
    VLLM = "vllm"
    OLLAMA = "ollama"
    LLAMA_CPP = "llama.cpp"
    LMSTUDIO = "lmstudio"


class ChatApi(StrEnum):
    """Which of OpenAI's two ways of asking; every compatible server speaks `chat`."""

    CHAT = "chat"
    RESPONSES = "responses"


class Payments(StrEnum):
    """Who books refunds; `ledger` is built in and moves no real money."""

    LEDGER = "ledger"
    STRIPE = "stripe"
    PAYPAL = "paypal"


class PiiRecogniser(StrEnum):
    """Who finds personal data before a prompt leaves."""

    RULES = "rules"
    PRESIDIO = "presidio"


class VectorPooling(StrEnum):
    """How an embedder makes one vector of a text: the mean of its tokens', or its first token's."""

    MEAN = "mean"
    CLS = "cls"


class LogFormat(StrEnum):
    """How log lines look."""

    CONSOLE = "console"
    JSON = "json"


class Privilege(StrEnum):
    """What one of several processes may do, where database roles and secrets are kept apart."""

    INTAKE = "intake"
    AGENTS = "agents"
    DECIDE = "decide"
    ACT = "act"


class Role(StrEnum):
    """What a process of an installation does; `serve` is all of it in one."""

    SERVE = "serve"
    API = "api"
    WORKER = "worker"
    RELAY = "relay"
    SCHEDULER = "scheduler"


def _spoken(code: str) -> str:
    """Refuse a language that we could not say one sentence in."""
    known = code.strip().lower()
    if known not in spoken():
        raise ValueError(f"write the ISO 639-1 code of a language that there are sentences in: {', '.join(spoken())}")
    return known


AccountLanguage = Annotated[str, AfterValidator(_spoken)]

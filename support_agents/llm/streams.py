"""How every wrapper holds the stream inside it: opened once, closed for certain; it reads nothing from it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from support_agents.domain.runs import Run
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

Item = TextDelta | Completed


def opened(model: LanguageModel, prompt: Prompt, run: Run) -> "aclosing[AsyncGenerator[Item]]":
    """Return the model's stream as a context that closes it, which cancels the call."""
    return aclosing(generator(model, prompt, run))


def generator(model: LanguageModel, prompt: Prompt, run: Run) -> AsyncGenerator[Item]:
    """Return the model's stream as what it is: a generator that its reader must close."""
    return cast("AsyncGenerator[Item]", model.stream(prompt, run))

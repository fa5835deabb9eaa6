"""Which of two models writes a draft, by a rule file; the reason goes on record with the call. It measures nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.runs import Run
from support_agents.domain.sections import DraftingGiven
from support_agents.llm.streams import opened
from support_agents.own_files import OwnFile
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta

Size = Literal["small", "large"]


class Route(BaseModel):
    """One rule: where it leads, why, and what a draft must be like for it to apply; what it leaves out is no matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: Size
    because: str
    intents: frozenset[str] | None = Field(default=None, description="each ask's intent is one of these")
    languages: frozenset[str] | None = None
    most_asks: int | None = Field(default=None, ge=0)
    most_evidence: int | None = Field(default=None, ge=0, description="characters of all passages together")
    most_message: int | None = Field(default=None, ge=0, description="characters of the customer's message")
    actions: bool | None = Field(default=None, description="whether steps besides the reply are proposed")

    def fits(self, given: DraftingGiven) -> bool:
        """Whether the rule applies."""
        evidence = sum(len(found.passage.text) for found in given.passages)
        return (
            (self.intents is None or {ask.intent.name for ask in given.asks} <= self.intents)
            and (self.languages is None or given.language in self.languages)
            and (self.most_asks is None or len(given.asks) <= self.most_asks)
            and (self.most_evidence is None or evidence <= self.most_evidence)
            and (self.most_message is None or len(given.text) <= self.most_message)
            and (self.actions is None or bool(given.actions) is self.actions)
        )


class Routes(BaseModel):
    """The rules in order: the first that fits decides; there is always one that does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Route, ...] = ()
    otherwise: Route

    def of(self, prompt: Prompt) -> Route:
        """The rule for a prompt; one without typed facts goes where nothing else fits."""
        given = prompt.given
        if given is None:
            return self.otherwise
        return next((rule for rule in self.rules if rule.fits(given)), self.otherwise)


@dataclass(frozen=True)
class RoutedModel:
    """`LanguageModel` around a small and a large one."""

    small: LanguageModel
    large: LanguageModel
    routes: Routes

    @property
    def name(self) -> str:
        """As of the large one."""
        return self.large.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model that the rules pick yields."""
        route = self.routes.of(prompt)
        model = self.small if route.to == "small" else self.large
        reason = f"{route.to}: {route.because}"
        async with opened(model, prompt.model_copy(update={"route": reason}), run) as stream:
            async for item in stream:
                yield item


@cache
def shipped_routes() -> Routes:
    """Return the rules that come with the product."""
    shipped = files(__package__ or "").joinpath("routing.yaml").read_text(encoding="utf-8")
    return Routes.model_validate(yaml.safe_load(shipped))


def load_routes(path: Path | None) -> Routes:
    """Return an installation's own rules, or the shipped ones; `SupportError` names file, rule and field of a fault."""
    if path is None:
        return shipped_routes()
    own = OwnFile(path, "routing_invalid", "SUPPORT_LLM_ROUTING")
    rules = own.parsed(own.read())
    if not isinstance(rules, dict):
        raise own.refused("needs a list `rules`, and `otherwise` with `to` and `because`")
    return own.part(Routes, rules)

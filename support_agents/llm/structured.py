"""Asks a model for an answer in a schema and gives out only one that fits; a second try sees the first one's fault."""

import json
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.llm.reading import read_object
from support_agents.llm.streams import opened
from support_agents.ports import Completed, LanguageModel, Prompt, StopReason, TextDelta

MISFIT = "llm_misfit"
T = TypeVar("T", bound=BaseModel)
_ROUNDS = 2
_SHOWN = 2_000
_MOST_ERRORS = 5


@dataclass(frozen=True)
class StructuredModel:
    """Typed answers from a `LanguageModel`: schema in the request, temperature 0, validated, one repair round."""

    model: LanguageModel

    async def ask(self, prompt: Prompt, run: Run, form: type[T]) -> T:
        """Return the answer as `form`; `SupportError` `llm_misfit` after two that do not fit, `llm_refused` for none.

        A model that was told no schema is told it in the text as well, so small servers can answer, too.
        """
        schema = form.model_json_schema()
        asked = prompt.model_copy(
            update={
                "temperature": 0.0,
                "answer_schema": schema,
                "system": f"{prompt.system}\n\nAnswer with one JSON object of this schema and nothing else:\n"
                f"{json.dumps(schema, ensure_ascii=False)}",
            }
        )
        fault = ""
        for _ in range(_ROUNDS):
            said = await self._said(asked, run)
            try:
                return form.model_validate(read_object(said))
            except (ValidationError, ValueError) as error:
                fault = _told(error)
                asked = asked.model_copy(update={"user": _again(prompt.user, said, fault)})
        raise SupportError(MISFIT, f"the model's answer does not fit what was asked for: {fault}")

    async def _said(self, prompt: Prompt, run: Run) -> str:
        pieces: list[str] = []
        async with opened(self.model, prompt, run) as stream:
            async for item in stream:
                match item:
                    case TextDelta():
                        pieces.append(item.text)
                    case Completed(stop=StopReason.REFUSED):
                        raise SupportError("llm_refused", "the model refused to answer")
        return "".join(pieces)


def _again(user: str, said: str, fault: str) -> str:
    """The question once more, with the answer that did not fit and why."""
    return (
        f"{user}\n\nYour last answer could not be used.\nIt was:\n----\n{said[:_SHOWN]}\n----\n"
        f"What is wrong with it: {fault}\nGive the whole answer again, corrected."
    )


def _told(error: ValueError) -> str:
    """What is wrong, by place; values are left out, as they may be the customer's."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors(include_input=False, include_url=False, include_context=False)
    places = (f"{'.'.join(str(part) for part in one['loc']) or 'answer'}: {one['msg']}" for one in found[:_MOST_ERRORS])
    return "; ".join(places)

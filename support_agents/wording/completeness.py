"""When a draft that was cut still says enough, by intent, as `completeness.yaml` has it; it judges no truth."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.sections import DraftingGiven, Sentence, written
from support_agents.wording.facts import fact_texts


class Enough(BaseModel):
    """What a cut draft must say for one intent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shortest: int | None = Field(default=None, ge=0, description="characters that state something")
    states: tuple[str, ...] = Field(default=(), description="of these facts, where any is known, one must be stated")


def enough(kept: Sequence[Sentence], given: DraftingGiven, *, shortest: int) -> bool:
    """Whether what is left answers the customer's first ask; `shortest` holds where no rule names a length.

    Where an order number is needed the question for it is enough.
    """
    if given.needs_order_id and any(sentence.courtesy and sentence.text.endswith("?") for sentence in kept):
        return True
    stating = [sentence for sentence in kept if not sentence.courtesy]
    intent = given.asks[0].intent.name if given.asks else ""
    rule = rules().get(intent, Enough())
    if len(written(stating)) < (shortest if rule.shortest is None else rule.shortest):
        return False
    known = {name for name, text in fact_texts(given, given.language).items() if text}
    wanted = known.intersection(rule.states)
    return not wanted or any(wanted.intersection(sentence.facts) for sentence in stating)


@cache
def rules() -> Mapping[str, Enough]:
    """Return the rules by intent."""
    text = files(__package__ or "").joinpath("completeness.yaml").read_text(encoding="utf-8")
    return {name: Enough.model_validate(row) for name, row in yaml.safe_load(text).items()}

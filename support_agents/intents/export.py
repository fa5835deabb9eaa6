"""Corrections as lines of JSON in the shapes that fine-tuning tools read; it chooses none and writes no file."""

import json
from collections.abc import Collection
from enum import StrEnum
from typing import assert_never

from support_agents.domain.intent import Correction


class Shape(StrEnum):
    """`jsonl` is what `intents train --data` reads; the others are named after the data sets they come from."""

    JSONL = "jsonl"
    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"


def line(correction: Correction, known: Collection[str], shape: Shape) -> str:
    """Return one correction as one line without its end; `known` intents are the choice that a model is given."""
    match shape:
        case Shape.JSONL:
            entry: dict[str, object] = correction.model_dump()
        case Shape.ALPACA:
            entry = {"instruction": _instruction(known), "input": correction.text, "output": correction.intent}
        case Shape.SHAREGPT:
            said = (("system", _instruction(known)), ("human", correction.text), ("gpt", correction.intent))
            entry = {"conversations": [{"from": who, "value": words} for who, words in said]}
        case _:
            assert_never(shape)
    return json.dumps(entry, ensure_ascii=False)


def _instruction(known: Collection[str]) -> str:
    return f"Name the intent of the customer's message. Answer with one of: {', '.join(sorted(known))}."

"""What a body lacks, in words that whoever sends it understands; it repeats none of its values."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from api.intake.protocol import Unparseable

_PLACES, _LONGEST = 5, 500
_FREE = "headers"  # whose names are the sender's words as well
# By the beginning of pydantic's type of error; the first that fits.
_WORDS = {
    "missing": "is missing",
    "string_too_short": "is empty",
    "string_too_long": "is too long",
    "too_short": "is empty",
    "too_long": "is too long",
    "string": "is no text",
    "int": "is no whole number",
    "greater_than": "is too small",
    "less_than": "is too large",
    "bool": "is neither true nor false",
    "enum": "is none of the known words",
    "literal": "is none of the known words",
    "datetime": "is no time (as 2026-01-31T12:00:00Z)",
    "timezone": "is a time without its zone (as 2026-01-31T12:00:00Z)",
    "model": "is no object",
    "dict": "is no object",
    "list": "is no list",
    "tuple": "is no list",
    "json": "is no JSON",
    "value_error": "is not plausible",
}


def refusal(error: ValidationError) -> Unparseable:
    """Say which places do not fit and why; the first five."""
    problems: Sequence[Mapping[str, Any]] = error.errors(include_input=False, include_url=False, include_context=False)
    places = [f"{_place(each['loc'])} {_words(each['type'])}" for each in problems[:_PLACES]]
    left_out = len(problems) - len(places)
    return Unparseable(("; ".join(places) + (f"; and {left_out} more" if left_out else ""))[:_LONGEST])


def _place(parts: Sequence[object]) -> str:
    known = parts[: parts.index(_FREE) + 1] if _FREE in parts else parts
    return ".".join(str(part) for part in known) or "the body"


def _words(kind: str) -> str:
    return next((words for beginning, words in _WORDS.items() if kind.startswith(beginning)), "does not fit")

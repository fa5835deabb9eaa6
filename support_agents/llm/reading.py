"""Reads the JSON object that a model meant: in fences, among prose, in single quotes, cut short; it runs no code."""

import ast
import json
import warnings
from typing import Any

_LONGEST = 40_000
_DEEPEST = 40
_QUOTES = "\"'"
_PAIRS = {"{": "}", "[": "]"}
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}


def read_object(said: str) -> dict[str, Any]:
    """Return the first JSON object in `said`; a `ValueError` whose words can be shown to the model if there is none."""
    start = said.find("{")
    if start < 0:
        raise ValueError("there is no JSON object in it")
    text, closers = _object(said[start : start + _LONGEST])
    for candidate in _candidates(text, closers):
        found = _read(candidate)
        if isinstance(found, dict):
            return found
    raise ValueError("the JSON object in it cannot be read")


def _candidates(text: str, closers: str) -> list[str]:
    """The text as it is; one that was cut, closed where it stands and, failing that, before its last member."""
    if not closers:
        return [text]
    found = [text + closers, _unfinished(text) + closers]
    for _ in range(3):
        text = text[: max(text.rfind(","), 0)]
        if not text:
            break
        found.append(text + _object(text)[1])
    return found


def _unfinished(text: str) -> str:
    """The text without a comma, or with a null for the value that was to come."""
    bare = text.rstrip()
    return bare[:-1] if bare.endswith(",") else f"{bare} null" if bare.endswith(":") else bare


def _object(text: str) -> tuple[str, str]:
    """The object at the start, up to its end, and what would close it if it has none."""
    stack: list[str] = []
    at = 0
    while at < len(text):
        letter = text[at]
        if letter in _QUOTES:
            end = _string_end(text, at)
            if end is None:
                return text, letter + "".join(reversed(stack))
            at = end
        elif letter in _PAIRS:
            stack.append(_PAIRS[letter])
            if len(stack) > _DEEPEST:
                raise ValueError("it is nested too deeply")
        elif stack and letter == stack[-1]:
            stack.pop()
            if not stack:
                return text[: at + 1], ""
        at += 1
    return text, "".join(reversed(stack))


def _string_end(text: str, start: int) -> int | None:
    """Where the string that opens at `start` closes; None if it does not."""
    quote, at = text[start], start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == quote and _ends_string(text, at, quote):
            return at
        at += 1
    return None


def _ends_string(text: str, at: int, quote: str) -> bool:
    """Whether a quote ends its string: in single quotes an apostrophe does not, as letters follow it."""
    return quote == '"' or not text[at + 1 : at + 2].isalnum()


def _read(text: str) -> object:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings(action="ignore"):
            return _plain(ast.parse(text, mode="eval").body)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _plain(node: ast.expr) -> object:
    """The value of a Python display, JSON's own names included; anything else is a `ValueError`."""
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as value):
            return value
        case ast.Name(id=name) if name in _WORDS:
            return _WORDS[name]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items):
            return [_plain(item) for item in items]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {str(_plain(key)): _plain(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case _:
            raise ValueError("not a plain value")

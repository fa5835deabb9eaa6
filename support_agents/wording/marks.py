"""Marks in a model's text – `[1]`, `[order.status]`, `[open.2]` – apart from the words; it resolves none of them."""

from dataclasses import dataclass

from support_agents import linear

_MARK = linear.compile(r"\s*\[([0-9]{1,2}(?:\s*,\s*[0-9]{1,2})*|(?:order|fact|action|open)\.[a-z0-9_]{1,40})\]")


@dataclass(frozen=True)
class Marked:
    """A sentence without marks; passages counted from 1, names of facts, and asks (from 1) named as open."""

    text: str
    passages: tuple[int, ...]
    facts: tuple[str, ...]
    opened: tuple[int, ...]


def read_marks(text: str) -> Marked:
    """Take the marks out of one sentence."""
    passages: list[int] = []
    facts: list[str] = []
    opened: list[int] = []
    for match in _MARK.finditer(text):
        mark = match.group(1)
        if mark[0].isdigit():
            passages += [int(number) for number in mark.replace(",", " ").split()]
        elif mark.startswith("open."):
            opened += [int(mark[5:])] if mark[5:].isdigit() else []
        else:
            facts.append(mark)
    return Marked(_MARK.sub("", text).strip(), _once(passages), tuple(dict.fromkeys(facts)), _once(opened))


def _once(numbers: list[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))

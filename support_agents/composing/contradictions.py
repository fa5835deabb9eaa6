"""Whether a message tells that a condition of the reply is not met; then the reply is for somebody else."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import yaml

from support_agents import linear
from support_agents.domain.macro import BoundCase, BoundMacro

_BETWEEN = 4


def contradicted(text: str, chosen: Sequence[tuple[BoundMacro, BoundCase]]) -> bool:
    """Whether a sentence that was chosen states a condition that the customer says in `text` to have broken."""
    said = _plain(" ".join(sentence.text for _, case in chosen for sentence in case.sentences))
    told = without_met(text)
    return any(states.search(said) and tells.search(told) for states, tells, _ in _conditions())


def without_met(text: str) -> str:
    """The text in small letters and without what it says to have left undone (`never used it`)."""
    plain = _plain(text)
    for _, _, denied in _conditions():
        plain = str(denied.sub(" ", plain))
    return plain


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").replace("n't", " n't").split())


@cache
def _conditions() -> tuple[tuple[linear.Pattern, linear.Pattern, linear.Pattern], ...]:
    data = yaml.load(
        files("support_agents.wording").joinpath("contradictions.yaml").read_text(encoding="utf-8"),
        Loader=yaml.CSafeLoader,
    )
    nots = _any(data["not"])
    return tuple(
        (
            linear.compile(rf"(?:^|[^\pL]){_any(one['says'])}"),
            linear.compile(rf"(?:^|[^\pL]){_any(one['told'])}(?:[^\pL]|$)"),
            linear.compile(rf"(?:^|[^\pL]){nots} (?:[^ .,;:!?]+ ){{0,{_BETWEEN}}}?{_any(one['told'])}(?:[^\pL]|$)"),
        )
        for one in data["conditions"]
    )


def _any(words: Sequence[str]) -> str:
    listed = sorted((_plain(str(word)) for word in words), key=len, reverse=True)
    return f"(?:{'|'.join(linear.escape(word) for word in listed)})"

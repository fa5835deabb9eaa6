"""What the stand-in for a language model answers: a grounded reply in the prompt's own format; it has no taste."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from support_agents.wording.phrases import phrases_of
from support_agents.wording.segments import split_sentences
from tests.peers.model_wire import Asked

MOST_WORDS = 80
_PIECE = re.compile(r"\s*\S{1,5}|\s+")
_WORD = re.compile(r"\w{4,}")
_FACT = re.compile(r"^\[([a-z0-9_.]+)\] (.+)$", re.MULTILINE)
_PASSAGE = re.compile(r"^\[(\d{1,2})\] [^\n]*\n(.*?)(?=\n\n\[\d|\Z)", re.MULTILINE | re.DOTALL)


def pieces_of(text: str) -> list[str]:
    """Cut a text into what a tokeniser would call tokens, about five characters each; nothing is lost."""
    return _PIECE.findall(text)


def grounded_reply(asked: Asked) -> str:
    """Greet, quote the sentences that share most words with the message, each with its mark, and close."""
    if asked.schema is not None:
        return json.dumps(_filled(asked.schema))
    told = f"{asked.system}\n{asked.user}"
    greeting, ending = _field(told, "Begin with"), _field(told, "End with")
    if "Order number needed: yes" in told:
        said = "Could you please send us your order number, so that we can look into it?"
    else:
        said = " ".join((*_facts(asked.user), *_quoted(asked.user)))
    return f"{greeting}\n\n{said}\n\n{ending}"


def _facts(user: str) -> Iterator[str]:
    """How the order stands, if the prompt tells it, with the marks of what is stated."""
    told = user.partition("Verified facts:\n")[2].partition("\n\n")[0]
    facts = dict(_FACT.findall(told))
    phrases = phrases_of(_field(user, "Language"))
    said = phrases.say(f"order.{facts['order.status']}", facts) if phrases and "order.status" in facts else None
    if said is not None:
        yield f"{said.text} {' '.join(f'[{name}]' for name in ('order.status', *said.facts))}"


def _quoted(user: str) -> Iterator[str]:
    """The sentences of the evidence that fit the message best, best first, up to the length that the prompt allows."""
    message = user.rpartition("Message of the customer:\n")[2]
    wanted = {word.casefold() for word in _WORD.findall(message)}
    evidence = user.partition("Evidence:\n----\n")[2].partition("\n----")[0]
    sentences = [
        (len(wanted & {word.casefold() for word in _WORD.findall(segment.text)}), -at, segment.text, number)
        for at, (number, text) in enumerate(_PASSAGE.findall(evidence))
        for segment in split_sentences(text)
        if len(segment.text.split()) >= 5 and segment.text[-1] in ".!"
    ]
    words = 0
    for _, _, text, number in sorted(sentences, reverse=True):
        words += len(text.split())
        if words > MOST_WORDS:
            return
        yield f"{text[:-1]} [{number}]{text[-1]}" if text[-1] == "." else f"{text} [{number}]"


def _field(text: str, name: str) -> str:
    return text.partition(f"{name}: ")[2].partition("\n")[0]


def _filled(schema: dict[str, Any]) -> Any:
    """The plainest value that a JSON schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    makers: dict[str, Callable[[], Any]] = {
        "object": lambda: {name: _filled(one) for name, one in schema.get("properties", {}).items()},
        "array": list,
        "string": lambda: "text",
        "integer": lambda: max(0, int(schema.get("minimum", 0))),
        "number": lambda: float(schema.get("minimum", 0)),
        "boolean": lambda: True,
    }
    return makers[schema.get("type", "string")]()

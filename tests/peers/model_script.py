"""What the stand-in for a language model answers: a grounded reply in the prompt's own format; it has no taste."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from support_agents.wording.phrases import Said, phrases_of
from support_agents.wording.segments import split_sentences
from tests.peers.model_wire import Asked

MOST_WORDS = 80
_PIECE = re.compile(r"\s*\S{1,5}|\s+")
_WORD = re.compile(r"\w{4,}")
_FACT = re.compile(r"^\[([a-z0-9_.]+)\] (.+)$", re.MULTILINE)
_ACTION = re.compile(r"^\[action\.", re.MULTILINE)
_STATUS = ("order.status",)
_DETAILS = ("order.tracking", "order.carrier", "order.account_last4")
_PASSAGE = re.compile(r"^\[(\d{1,2})\] [^\n]*\n(.*?)(?=\n\n\[\d|\Z)", re.MULTILINE | re.DOTALL)


def pieces_of(text: str) -> list[str]:
    """Cut a text into what a tokeniser would call tokens, about five characters each; nothing is lost."""
    return _PIECE.findall(text)


def grounded_reply(asked: Asked) -> str:
    """Greet, state what was done or how the order stands, quote what shares most words with the message, and close.

    The first sentence keeps to the words that the prompt gives it, as an obedient model's would.
    """
    told = _field(asked.user, "First sentence").split()
    return _json(asked) if asked.schema is not None else _reply(asked, int(told[2]) if told else MOST_WORDS)


def wordy_reply(asked: Asked) -> str:
    """The same by a model that takes no notice of how long its first sentence may be."""
    return _json(asked) if asked.schema is not None else _reply(asked, MOST_WORDS)


def _json(asked: Asked) -> str:
    return json.dumps(_filled(asked.schema or {}))


def _reply(asked: Asked, first: int) -> str:
    told = f"{asked.system}\n{asked.user}"
    greeting, ending = _field(told, "Begin with"), _field(told, "End with")
    if "Order number needed: yes" in told:
        said = "Could you please send us your order number, so that we can look into it?"
    else:
        facts = tuple(_facts(asked.user, first))
        said = " ".join((*facts, *_quoted(asked.user, MOST_WORDS if facts else first)))
    return f"{greeting}\n\n{said}\n\n{ending}"


def _facts(user: str, first: int) -> Iterator[str]:
    """What was done if an action is listed, or else how the order stands, with the marks of what is stated."""
    told = user.partition("Verified facts:\n")[2].partition("\n\n")[0]
    facts = dict(_FACT.findall(told))
    if _ACTION.search(user.partition("Actions:\n")[2].partition("\n\n")[0]):
        key = "refund.done"
    else:
        key = "refund.earlier" if "order.refunded" in facts else f"order.{facts.get('order.status')}"
    said = _said(_field(user, "Language"), key, facts, first)
    if said is not None:
        marks = (*(_STATUS if key.startswith("order.") else ()), *said.facts)
        yield f"{said.text} {' '.join(f'[{name}]' for name in marks)}"


def _said(language: str, key: str, facts: Mapping[str, str], first: int) -> Said | None:
    """The phrase in the fullest wording that keeps to so many words, or else in its shortest."""
    phrases = phrases_of(language)
    if phrases is None:
        return None
    found = [phrases.say(key, facts)]
    for name in _DETAILS:
        facts = {known: text for known, text in facts.items() if known != name}
        found.append(phrases.say(key, facts))
    usable = [said for said in (*found, phrases.say(f"{key}_short", facts)) if said is not None]
    return next((said for said in usable if len(said.text.split()) <= first), usable[-1] if usable else None)


def _quoted(user: str, first: int) -> Iterator[str]:
    """The sentences of the evidence that fit the message best, best first, up to the length that the prompt allows.

    The best of those with no more than `first` words opens, if there is one that fits at all.
    """
    message = user.rpartition("Message of the customer:\n")[2]
    wanted = {word.casefold() for word in _WORD.findall(message)}
    evidence = user.partition("Evidence:\n----\n")[2].partition("\n----")[0]
    sentences = [
        (len(wanted & {word.casefold() for word in _WORD.findall(segment.text)}), -at, segment.text, number)
        for at, (number, text) in enumerate(_PASSAGE.findall(evidence))
        for segment in split_sentences(text)
        if len(segment.text.split()) >= 5 and segment.text[-1] in ".!"
    ]
    words, best = 0, sorted(sentences, reverse=True)
    opening = [one for one in best if one[0] > 0 and len(one[2].split()) <= first][:1]
    for _, _, text, number in (*opening, *(one for one in best if one not in opening)):
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

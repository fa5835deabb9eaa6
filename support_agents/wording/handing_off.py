"""What a person may send at once when a ticket came to them, in the customer's language; it promises no time."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from support_agents.wording.phrases import LANGUAGES, phrases_of

FALLBACK = "en"
_SAME = {"nb": "no", "nn": "no"}


@dataclass(frozen=True)
class Acknowledgement:
    """A letter that says that a person answers; `customers` and `own` are English names of languages.

    They differ where we have no words in the customer's language: then the letter is in English.
    """

    text: str
    customers: str
    own: str


def acknowledgement(language: str, customer_name: str, signatures: Mapping[str, str]) -> Acknowledgement:
    """Write the letter in `language` (ISO 639-1), else in English; `signatures` are the shop's own, by language."""
    code = _SAME.get(language, language)
    phrases, line = phrases_of(code), _read()["acknowledgements"].get(code, "")
    if phrases is None and line:
        blocks = (line, signatures.get(code, "").strip())  # no greeting: whom we cannot greet rightly we do not
        return Acknowledgement("\n\n".join(filter(None, blocks)), language_name(code), language_name(code))
    own = code if phrases is not None else FALLBACK
    written = phrases or phrases_of(FALLBACK)
    if written is None:
        raise AssertionError("there are always English phrases")
    signature = signatures.get(own, written.line("signature")).strip()
    letter = (written.greeting(customer_name), written.line("hand_off"), signature)
    return Acknowledgement("\n\n".join(letter), language_name(code), language_name(own))


def spoken() -> tuple[str, ...]:
    """List the languages (ISO 639-1) that we have sentences in: those of drafts, then those of this letter."""
    return (*LANGUAGES, *_read()["acknowledgements"])


def language_name(code: str) -> str:
    """Return a language's English name; the code itself where it is rare."""
    return str(_read()["names"].get(code, code))


@cache
def _read() -> Mapping[str, Any]:
    text = files(__package__ or "").joinpath("handing_off.yaml").read_text(encoding="utf-8")
    data: Mapping[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return data

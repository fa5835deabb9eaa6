"""Checks that a draft names nobody but its reader and quotes nothing that is meant for colleagues."""

from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.support import Support, shingles
from support_agents.domain.sections import Sentence, Severity
from support_agents.wording.phrases import GREETING_WORDS, first_name
from support_agents.wording.values import ValueKind, values_in

_LONGEST_GREETING = 8
_GREETINGS = tuple((greeting, len(greeting.split())) for greeting in GREETING_WORDS)
_PERSONAL = frozenset({ValueKind.EMAIL, ValueKind.PHONE})
_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "prof",
        "herr",
        "frau",
        "sr",
        "sra",
        "señor",
        "señora",
        "monsieur",
        "madame",
        "m",
        "mme",
    ]
)
_NOBODY = frozenset({"there", "all", "team", "customer", "damen und herren", "kunde", "madame, monsieur", "monsieur"})


def _no_other_person(sentence: Sentence, support: Support) -> str:
    """E-mail addresses, telephone numbers and names are the customer's own or stand in the cited passage."""
    mine = support.given.customer_email.casefold()
    for value in values_in(sentence.text):
        if value.kind not in _PERSONAL or mine in value.keys:
            continue
        if not any(value.keys & known.keys for known in support.values(sentence)):
            return f"“{value.text}” is not the customer's"
    name = _greeted(sentence.text)
    if name and not _is_theirs(name, support.drafting.customer_name):
        return f"it greets “{name}”, who is not the customer"
    return ""


def _greeted(text: str) -> str:
    """The name behind a greeting that is a sentence of its own; empty for any other sentence."""
    words = text.strip().rstrip(",:!. ").split()
    for greeting, length in _GREETINGS if len(words) <= _LONGEST_GREETING else ():
        if " ".join(words[:length]).casefold().strip(",") == greeting:
            return " ".join(words[length:])
    return ""


def _is_theirs(name: str, customer_name: str) -> bool:
    said = name.casefold()
    own = {part.casefold() for part in customer_name.split()} | {first_name(customer_name).casefold()} | _TITLES
    return said in _NOBODY or all(part.strip(".,") in own for part in said.split())


def _no_internal(sentence: Sentence, support: Support) -> str:
    """No run of words comes from an internal passage that stands in no public one."""
    if not support.given.internal_passages:
        return ""
    return "it quotes an internal article" if shingles(sentence.text) & support.internal_shingles() else ""


NO_OTHER_PERSON = SentenceRule("no_other_person", Severity.DROP, _no_other_person)
NO_INTERNAL = SentenceRule("no_internal", Severity.DROP, _no_internal)

"""Checks on how a draft speaks: abuse, shouting, blame, competitors, legal advice; never on what it states."""

from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from support_agents.agents.checks.listing import first_listed
from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.support import Support
from support_agents.domain.sections import Sentence, Severity

_SHOUTED, _LEAST_SHOUTED = 3, 3


def _profanity(sentence: Sentence, support: Support) -> str:
    found = first_listed(sentence.text, _words("profanity", support.language))
    return "it holds a word that nobody writes to a customer" if found else ""


def _tone(sentence: Sentence, support: Support) -> str:
    """Reproach and shouting in words of its own; what a published article writes large is quoted as it is."""
    if support.is_verbatim(sentence):
        return ""
    if blamed := first_listed(sentence.text, _words("blame", support.language)):
        return f"“{blamed}” reads as a reproach"
    if "!!" in sentence.text or "?!" in sentence.text:
        return "it shouts with its punctuation"
    return "it shouts in capitals" if _shouts(sentence.text) else ""


def _shouts(text: str) -> bool:
    """Whether three words in a row are written in capitals; short ones and codes are no shouting."""
    run = 0
    for word in text.split():
        bare = word.strip(".,;:!?()“”\"'")
        run = run + 1 if bare.isalpha() and bare.isupper() and len(bare) >= _LEAST_SHOUTED else 0
        if run >= _SHOUTED:
            return True
    return False


def _competitor(sentence: Sentence, support: Support) -> str:
    named = first_listed(sentence.text, support.policy.competitors)
    return f"it names a competitor (“{named}”)" if named else ""


def _legal(sentence: Sentence, support: Support) -> str:
    """Legal advice and admissions in words of its own; a published article may quote the law."""
    if support.is_verbatim(sentence):
        return ""
    said = first_listed(sentence.text, (*_words("legal", support.language), *support.policy.legal_phrases))
    return f"“{said}” reads as legal advice or an admission" if said else ""


def _never_said(sentence: Sentence, support: Support) -> str:
    """A phrase that the shop wants in no reply, its own articles included."""
    said = first_listed(sentence.text, support.drafting.voice.never_say)
    return f"“{said}” is not how we speak" if said else ""


@cache
def _words(kind: str, language: str) -> tuple[str, ...]:
    """Return a list in `language`; abuse is abuse in any language, so of that all are one list."""
    lists = _lists()
    wanted = lists if kind == "profanity" else {language: lists.get(language, {})}
    return tuple(word for one in wanted.values() for word in one.get(kind, []))


@cache
def _lists() -> dict[str, dict[str, list[str]]]:
    text = files(__package__ or "").joinpath("tone.yaml").read_text(encoding="utf-8")
    return cast("dict[str, dict[str, list[str]]]", yaml.safe_load(text))


NO_PROFANITY = SentenceRule("no_profanity", Severity.DROP, _profanity)
TONE = SentenceRule("tone", Severity.FLAG, _tone)
NO_COMPETITOR = SentenceRule("no_competitor", Severity.FLAG, _competitor)
NEVER_SAID = SentenceRule("never_said", Severity.FLAG, _never_said)
NO_LEGAL_ADVICE = SentenceRule("no_legal_advice", Severity.FLAG, _legal)

"""Checks that nothing gets out that must stay in: secrets, our own prompt, and what tried to instruct us."""

from functools import cache

from support_agents import linear
from support_agents.agents.checks.listing import first_listed
from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.support import Support, normal, shingles
from support_agents.domain.sections import Sentence, Severity
from support_agents.prompts.files import load_prompt
from support_agents.screening import injection
from support_agents.screening.pii import mask
from support_agents.screening.spans import PiiKind

_SECRET = linear.compile(
    r"(?P<private_key>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)"
    r"|(?P<access_key>\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\b(?:sk|pk|rk|whsec|xox[abpors]|ghp|gho|ghs|glpat)[-_][A-Za-z0-9_\-]{16,})"
    r"|(?P<token>\beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{5,}|(?i:\bbearer\s+[A-Za-z0-9._\-]{20,}))"
    r"|(?P<password>(?i:\b(?:password|passwort|passphrase|contraseña|mot de passe|api[ _-]?key|secret)\b"
    r"(?:\s(?:is|lautet|ist|es|est))?\s?[:=]\s?[^\s]{4,}))"
)
_NAMES = {"private_key": "a private key", "access_key": "an access key", "token": "an access token"}
_ACCOUNTS = {PiiKind.CARD: "a card number", PiiKind.IBAN: "an account number"}
_TALKS_OF_ITSELF = (
    "as an ai", "as a language model", "language model", "i am an ai", "i'm an ai", "system prompt", "my instructions",
    "my prompt", "i was instructed", "i have been instructed", "knowledge cutoff", "training data", "als ki",
    "als sprachmodell", "sprachmodell", "meine anweisungen", "como ia", "como modelo de lenguaje",
    "modelo de lenguaje", "mis instrucciones", "en tant qu'ia", "modèle de langage", "mes instructions",
)  # fmt: skip
_MARK = linear.compile(r"\[(?:\d{1,2}|order\.[a-z_]+|fact\.[a-z_]+|action\.[a-z_]+|open\.\d+)\]|\{[a-z_]{2,30}\}")
_OPENS = frozenset("[{")
_LEAST_SPAN = 12
_LEAST_ACCOUNT = 8  # digits; product names that pass for an account number have fewer


def _secret(sentence: Sentence, support: Support) -> str:
    """No key, password, card or account number, also where a passage has one."""
    if match := _SECRET.search(sentence.text):
        kind, found = next((name, found) for name, found in match.groupdict().items() if found)
        if kind in _NAMES or any(sign.isdigit() for sign in found):
            return f"it holds what looks like {_NAMES.get(kind, 'a password')}"
    if sum(map(str.isdigit, sentence.text)) < _LEAST_ACCOUNT:
        return ""
    for key, value in mask(sentence.text, b"").restore.items():
        told = next((told for kind, told in _ACCOUNTS.items() if kind.value in key), "")
        ours = any(value in fact for fact in support.facts.values())  # a tracking number may look like a card's
        if told and not ours and sum(sign.isdigit() for sign in value) >= _LEAST_ACCOUNT:
            return f"it holds {told} in full"
    return ""


def _prompt(sentence: Sentence, support: Support) -> str:
    """Nothing of what we tell the model, no marks, no words about itself."""
    said = first_listed(sentence.text, _TALKS_OF_ITSELF)
    if said and not support.is_verbatim(sentence):
        return f"it speaks of the software (“{said}”)"
    if (
        not _OPENS.isdisjoint(sentence.text)
        and (match := _MARK.search(sentence.text))
        and not support.is_verbatim(sentence)
    ):
        return f"it holds a mark of ours (“{match.group(0)}”)"
    return "it repeats our instructions to the model" if shingles(sentence.text) & _told() else ""


@cache
def _told() -> frozenset[tuple[str, ...]]:
    prompt = load_prompt("drafting")
    return shingles(f"{prompt.system}\n{prompt.user}")


def _tainted(sentence: Sentence, support: Support) -> str:
    """Nothing of a customer's sentence that tried to instruct us, and no sentence that does so itself."""
    said = normal(sentence.text)
    for span in support.given.tainted:
        whole = normal(span)
        if len(whole) >= _LEAST_SPAN and (whole in said or shingles(span) & shingles(sentence.text)):
            return "it repeats what tried to instruct the software"
    if sentence.courtesy:
        return ""
    return "it reads like an instruction to software" if injection.find(sentence.text) else ""


NO_SECRET = SentenceRule("no_secret", Severity.DROP, _secret)
NO_PROMPT = SentenceRule("no_prompt", Severity.DROP, _prompt)
NOTHING_TAINTED = SentenceRule("nothing_tainted", Severity.DROP, _tainted)

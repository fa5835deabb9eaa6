"""Derive each banking task's first customer message as `eval retrieval` reads it; it changes no data.

`python tests/evals/banking_kb_queries.py TASKS.jsonl > QUERIES.jsonl`. The tasks tell a role-player how to behave.
Three rules, tried in order: the sentence in quotes after a cue such as "Opening:"; what "Start by saying" reports, in
the first person; the first two sentences that say what the customer looks for, in the first person.
"""

# ruff: noqa: T201 - a script that prints its lines and runs alone
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_CUE = r"(?:start|open|explain|state|mention)[^\n\"“]{0,160}[:*]\s*"
_QUOTED = re.compile(rf"(?i){_CUE}[\"“]([^\"”\n]{{20,}})[\"”]")
_REPORTED = re.compile(r"(?i)\bstart by (?:saying|mentioning)(?: that)? (you[^.\n]*)\.")
_WISH = re.compile(r"(?i)^(?:you(?:'re| are) looking for|you want|you received|your hard requirements are)\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_PERSON = {
    "you're": "I'm", "you are": "I am", "you've": "I've", "you'd": "I'd", "your": "my", "yours": "mine",
    "yourself": "myself", "you": "I",
}  # fmt: skip
_PERSONS = re.compile(rf"(?i)\b(?:{'|'.join(sorted(_PERSON, key=len, reverse=True))})\b")
_OBJECT = re.compile(r"(?i)\b(gives?|for|to|available) you\b")
_ASIDE = re.compile(r"\s*\((?:do not|don't|not)[^)]*\)", re.IGNORECASE)


def first_message(instructions: str) -> str:
    """Return what the customer writes first; a `ValueError` says that no rule found it."""
    if quoted := _QUOTED.search(instructions):
        return quoted[1]
    if reported := _REPORTED.search(instructions):
        return f"Hi, {_first_person(reported[1])}."
    if wishes := list(_wishes(instructions))[:2]:
        return f"Hi, {' '.join(wishes)}"
    raise ValueError("no first message")


def _wishes(instructions: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(instructions.replace("\n", " ")):
        if _WISH.search(sentence.strip()):
            yield _first_person(sentence.strip())


def _first_person(text: str) -> str:
    return _PERSONS.sub(lambda found: _PERSON[found[0].lower()], _OBJECT.sub(r"\1 me", _ASIDE.sub("", text)))


def main(tasks: Path) -> None:
    """Print one query a task."""
    for line in tasks.read_text(encoding="utf-8").splitlines():
        task = json.loads(line)
        query = {
            "query_id": task["id"],
            "query": first_message(task["instructions"]),
            "relevant": task["required_documents"],
        }
        print(json.dumps(query, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

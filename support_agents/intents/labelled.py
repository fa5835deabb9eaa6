"""Reads labelled messages from JSON lines and says which line and field is wrong; it never guesses a missing one."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from support_agents.domain.intent import UNKNOWN, Correction
from support_agents.intents.examples import Examples
from support_agents.intents.rows import content_of, rows_of

TEXT_FIELDS = ("text", "utterance")
INTENT_FIELDS = ("intent", "label")
# How data sets name what belongs to none of their intents.
OUT_OF_SCOPE = frozenset({UNKNOWN, "oos", "out_of_scope", "out-of-scope"})
_LONGEST_LINE = 200_000


@dataclass(frozen=True)
class Labelled:
    """Texts with their intents in file order; `sha256` of the file's bytes and of what was added."""

    texts: tuple[str, ...]
    intents: tuple[str, ...]
    sha256: str

    @classmethod
    def read(cls, path: Path) -> "Labelled":
        """Read lines of `{"text" | "utterance", "intent"}`; `SupportError` names file, line and field."""
        content = content_of(path)
        # A text may be empty: such lines occur in public sets.
        rows = rows_of(content, path, longest=_LONGEST_LINE)
        labelled = [(row.string(*TEXT_FIELDS), row.text(*INTENT_FIELDS).strip()) for row in rows]
        texts, intents = zip(*labelled, strict=True)
        return cls(texts, intents, hashlib.sha256(content).hexdigest())

    @classmethod
    def of(cls, examples: Examples) -> "Labelled":
        """Take the texts and intents of a file of examples."""
        return cls(examples.texts, examples.intents, examples.sha256)

    def corrected(self, corrections: Sequence[Correction]) -> "Labelled":
        """Add corrections; of the same words, case and spaces aside, the newest label is the only one."""
        if not corrections:
            return self
        newest = {_key(one.text): one for one in corrections}
        kept = [place for place, text in enumerate(self.texts) if _key(text) not in newest]
        rows = [(self.texts[place], self.intents[place]) for place in kept]
        rows += [(one.text, one.intent) for one in newest.values()]
        texts, intents = zip(*rows, strict=True)
        added = json.dumps([self.sha256, [[one.text, one.intent] for one in newest.values()]])
        return Labelled(texts, intents, hashlib.sha256(added.encode()).hexdigest())

    @property
    def in_scope(self) -> "Labelled":
        """Only the lines that name an intent."""
        return self._only([name not in OUT_OF_SCOPE for name in self.intents])

    @property
    def out_of_scope(self) -> "Labelled":
        """Only the lines that belong to no intent."""
        return self._only([name in OUT_OF_SCOPE for name in self.intents])

    def within(self, classes: Collection[str]) -> "Labelled":
        """Give every intent that is not one of `classes` the name of the unknown one."""
        names = tuple(name if name in classes else UNKNOWN for name in self.intents)
        return Labelled(self.texts, names, self.sha256)

    def _only(self, kept: Sequence[bool]) -> "Labelled":
        places = [place for place, keep in enumerate(kept) if keep]
        return Labelled(
            tuple(self.texts[place] for place in places), tuple(self.intents[place] for place in places), self.sha256
        )


def _key(text: str) -> str:
    return " ".join(text.casefold().split())

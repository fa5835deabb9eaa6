"""Keeps personal data from a model outside: placeholders go out, what is the customer's own comes back in."""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from support_agents import linear
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.runs import Run
from support_agents.domain.sections import DraftingGiven
from support_agents.llm.streams import opened
from support_agents.ports import Completed, LanguageModel, Prompt, TextDelta
from support_agents.screening.pii import RULES, Masked, mask, unmask
from support_agents.screening.spans import PiiFinder

_SALT_BYTES = 16
_FEWEST_LETTERS = 3  # of a part of a name; shorter ones are particles and initials
_NO_COMMON_WORD = 5
_LONGEST_PLACEHOLDER = 40
_UNFINISHED = linear.compile(r"\[[A-Z_0-9]*$")


@dataclass(frozen=True)
class RedactedModel:
    """`LanguageModel` around one that runs elsewhere.

    What the customer wrote is searched for personal data. Each value found, and the customer's name and address, leaves
    as a placeholder that is random for the call, wherever and in whatever form it stands in the prompt. Values of the
    customer's own ticket are put back into the answer; a placeholder that somebody typed stands for nothing. Articles
    are public and stay as they are, and so does `given`, which never leaves. For a workspace in `local_only`
    nothing is sent at all: `external_forbidden`.
    """

    model: LanguageModel
    local_only: frozenset[WorkspaceId] = frozenset()
    finder: PiiFinder = field(default=RULES)

    @property
    def name(self) -> str:
        """As of the model inside."""
        return self.model.name

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield what the model yields with the customer's own values in place; `SupportError` when it may not."""
        if run.workspace in self.local_only:
            raise SupportError("external_forbidden", "this workspace allows no model outside this installation")
        masked = self._masked(prompt, run)
        restore, own = masked.restore, frozenset(masked.restore.values())
        sent = prompt.model_copy(
            update={"system": _hidden(prompt.system, masked), "user": _hidden(prompt.user, masked)}
        )
        held = ""
        async with opened(self.model, sent, run) as stream:
            async for item in stream:
                if isinstance(item, TextDelta):
                    ready, held = _whole(held + item.text)
                    if ready:
                        yield TextDelta(unmask(ready, restore, only=own))
                    continue
                if held:
                    yield TextDelta(unmask(held, restore, only=own))
                yield item

    def _masked(self, prompt: Prompt, run: Run) -> Masked:
        """Find all that is the customer's; without `given` the whole prompt may be."""
        known = dict.fromkeys((prompt.given.customer_name if prompt.given else "", *run.private))
        names = tuple(dict.fromkeys(form for value in known for form in _forms(value)))
        told = "\n".join((*names, *_told(prompt.given))) if prompt.given else f"{prompt.system}\n{prompt.user}"
        return mask(told, secrets.token_bytes(_SALT_BYTES), finder=self.finder, known=names)


def _told(given: DraftingGiven) -> Iterator[str]:
    """Yield all that comes from the customer but the name."""
    yield from (given.subject, given.text, *given.earlier, *(ask.text for ask in given.asks), *given.attachments)
    yield from (said for file in given.attached for said in (file.filename, file.text))


def _forms(value: str) -> Iterator[str]:
    """Yield a name or an address and its parts as people write them: a greeting uses the first, a form capitals.

    A short part in small letters is not among them: it is as likely a word (`will`, `mark`) as the name.
    """
    for part in dict.fromkeys((value, *value.split())):
        if len(part) >= _FEWEST_LETTERS:
            yield from (part, part.upper(), part.title())
        if len(part) >= _NO_COMMON_WORD:
            yield part.lower()


def _hidden(text: str, masked: Masked) -> str:
    """Replace every form of every value, longest first, and nothing inside of what already stands for one."""
    pieces = [text]  # every second one is a placeholder
    there = [one for one in masked.written.items() if one[0] in text]
    for value, placeholder in sorted(there, key=lambda one: -len(one[0])):
        cut = ([piece] if at % 2 else _between(piece.split(value), placeholder) for at, piece in enumerate(pieces))
        pieces = [piece for part in cut for piece in part]
    return "".join(pieces)


def _between(parts: list[str], placeholder: str) -> list[str]:
    return [each for part in parts for each in (part, placeholder)][:-1]


def _whole(text: str) -> tuple[str, str]:
    """Split off the start of a placeholder that has not wholly arrived."""
    match = _UNFINISHED.search(text[-_LONGEST_PLACEHOLDER:])
    at = len(text) - len(match.group()) if match else len(text)
    return text[:at], text[at:]

"""Prompt files: versioned front matter and two texts with named places; a file with a fault never loads."""

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from string import Formatter

import yaml

from support_agents.domain.errors import SupportError


@dataclass(frozen=True)
class PromptFile:
    """A prompt as it stands in its file."""

    name: str
    version: int
    max_tokens: int
    temperature: float
    system: str
    user: str

    @property
    def identity(self) -> str:
        """Name and version, as recorded with every call."""
        return f"{self.name}.{self.version}"

    @cached_property
    def places(self) -> frozenset[str]:
        """Names that a rendering must give."""
        parsed = (*Formatter().parse(self.system), *Formatter().parse(self.user))
        return frozenset(name for _, name, _, _ in parsed if name)

    def render(self, values: dict[str, str]) -> tuple[str, str]:
        """Fill system and user text; values are put in as they are and never read for places themselves."""
        missing = self.places - values.keys()
        if missing:
            raise SupportError(
                "prompt_incomplete", f"prompt {self.identity}: no value for {', '.join(sorted(missing))}"
            )
        return self.system.format_map(values), self.user.format_map(values)


@cache
def load_prompt(name: str) -> PromptFile:
    """Read `prompts/<name>.md`; a missing or broken file raises `SupportError` naming it."""
    path = files(__package__ or "").joinpath(f"{name}.md")
    try:
        return parse_prompt(path.read_text(encoding="utf-8"), name)
    except FileNotFoundError as error:
        raise SupportError("prompt_missing", f"there is no prompt {name}") from error


def parse_prompt(text: str, name: str) -> PromptFile:
    """Read a prompt file's text: front matter, then `# system` and `# user`."""
    parts = text.split("---\n", 2)
    try:
        _, front, body = parts
        fields = yaml.load(front, Loader=yaml.CSafeLoader)
        system, user = _texts(body)
        return PromptFile(
            name=str(fields["name"]),
            version=int(fields["version"]),
            max_tokens=int(fields["max_tokens"]),
            temperature=float(fields["temperature"]),
            system=system,
            user=user,
        )
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise SupportError("prompt_invalid", f"prompt {name}: {error}") from error


def _texts(body: str) -> tuple[str, str]:
    before, _, rest = body.partition("# system\n")
    system, mark, user = rest.partition("\n# user\n")
    if before.strip() or not mark:
        raise ValueError("needs the texts `# system` and `# user`, in this order")
    return system.strip(), user.strip()

"""A folder of Markdown files as macros; it reads and checks their form and never looks at the evidence."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from support_agents.domain.errors import SupportError
from support_agents.domain.macro import Macro, MacroCase, MacroSentence, OrderUse, When
from support_agents.domain.orders import OrderStatus

_FRONT_MATTER = re2.compile(r"^---[ \t]*\r?\n(?s:(.*?))\r?\n---[ \t]*(?:\r?\n|$)")
_MARK = re2.compile(r"\s*\[([a-z0-9_.-]{1,60})\]")
_CASE = "## "
_WHEN = "when:"
_SPARE = "~ "
_IF = re2.compile(r"^if (\{[^}]*\}): ")
_COURTESY = "courtesy"
_AFFIRMS = "yes"
_FACTS = ("order.", "fact.", "action.")
_FEWEST_QUESTIONS = 4
_VERSION_DIGITS = 8


class _Front(BaseModel):
    """The front matter of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    language: str = Field(pattern=r"^[a-z]{2}$")
    intents: tuple[str, ...] = ()
    questions: tuple[str, ...] = Field(min_length=_FEWEST_QUESTIONS)
    order: OrderUse = OrderUse.UNUSED
    means: tuple[OrderStatus, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    without: tuple[str, ...] = ()


def load_macros(folder: Path) -> tuple[Macro, ...]:
    """Read every `.md` file below `folder`; the first one that is wrong is a `SupportError` naming file and place."""
    if not folder.is_dir():
        raise SupportError("macros_invalid", f"{folder} is not a folder; correct SUPPORT_MACROS")
    found: dict[str, Macro] = {}
    for path in sorted(folder.rglob("*.md")):
        macro = read_macro(path)
        if macro.id in found:
            raise _invalid(path, f"the id {macro.id} stands twice")
        found[macro.id] = macro
    return tuple(found.values())


def read_macro(path: Path) -> Macro:
    """Read one file."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(path, "cannot be read as UTF-8 text") from error
    match = _FRONT_MATTER.search(text)
    if match is None:
        raise _invalid(path, "needs front matter between two lines of ---")
    front = _front(path, match.group(1))
    return Macro(
        **front.model_dump(),
        cases=tuple(_cases(path, text[match.end() :])),
        version=hashlib.sha256(content).hexdigest()[:_VERSION_DIGITS],
    )


def _front(path: Path, text: str) -> _Front:
    try:
        return _Front.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise _invalid(path, f"front matter is not YAML: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        raise _invalid(path, _first(error)) from error


def _cases(path: Path, body: str) -> Iterator[MacroCase]:
    for part in f"\n{body}".split(f"\n{_CASE}")[1:]:
        name, _, rest = part.partition("\n")
        lines = rest.strip().splitlines()
        when = When()
        if lines and lines[0].startswith(_WHEN):
            when = _when(path, name.strip(), lines.pop(0).removeprefix(_WHEN))
        sentences = tuple(_sentences(path, name.strip(), lines))
        if not sentences:
            raise _invalid(path, f"case {name.strip()}: has no sentence")
        yield MacroCase(name=name.strip(), when=when, sentences=sentences)


def _when(path: Path, name: str, text: str) -> When:
    try:
        return When.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise _invalid(path, f"case {name}: when: is not YAML: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        raise _invalid(path, f"case {name}: when: {_first(error)}") from error


def _sentences(path: Path, name: str, lines: list[str]) -> Iterator[MacroSentence]:
    """One sentence a line; a blank line begins a paragraph, `~` marks what may be left out.

    `if {words: [[card]]}: ` before a sentence says when it belongs to the reply; what it asks for is as under `when:`.
    `[yes]` behind it makes it begin with yes for whoever asks whether it is possible.
    """
    paragraph = False
    for line in lines:
        if not line.strip():
            paragraph = True
            continue
        bare = line.strip().removeprefix(_SPARE)
        condition = _IF.search(bare)
        bare = bare[condition.end() :] if condition else bare
        marks = [match.group(1) for match in _MARK.finditer(bare)]
        text = str(_MARK.sub("", bare)).strip()
        facts = tuple(mark for mark in marks if mark.startswith(_FACTS))
        slots = _slots(path, name, text)
        if "{{" in text or "{%" in text:
            raise _invalid(
                path, f"case {name}: “{text[:60]}” has a placeholder of another system; write a slot of ours"
            )
        if not marks and not slots:
            raise _invalid(
                path, f"case {name}: “{text[:60]}” names nothing that it rests on; add [article-id] or a fact"
            )
        yield MacroSentence(
            text=text,
            articles=tuple(mark for mark in marks if mark not in {*facts, _COURTESY, _AFFIRMS}),
            courtesy=_COURTESY in marks,
            affirms=_AFFIRMS in marks,
            facts=tuple(dict.fromkeys((*slots, *facts))),
            spare=line.strip().startswith(_SPARE),
            paragraph=paragraph,
            when=_when(path, name, condition.group(1)) if condition else When(),
        )
        paragraph = False


def _slots(path: Path, name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(slot for _, slot, _, _ in Formatter().parse(text) if slot)
    except ValueError as error:
        raise _invalid(path, f"case {name}: “{text[:60]}” has a brace that belongs to no slot") from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}"


def _invalid(path: Path, problem: str) -> SupportError:
    return SupportError("macros_invalid", f"{path}: {problem}")

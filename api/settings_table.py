"""Every setting as documentation shows it; `python -m api.settings_table > docs/settings.md` writes that page."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from api.model_settings import PREFIX
from api.settings import Settings

_HEAD = """# Settings

Every setting is an environment variable with a default. `support-agents doctor` says what is wrong
with those that are set, and names variables that begin like a setting and are none. Lists are comma separated.
"""
_REST = "The installation, its helpdesk, mail, payments and people."


class SettingRow(NamedTuple):
    """One line of the configuration table: a variable, its default as text, what it means, and what it belongs to."""

    variable: str
    default: str
    meaning: str
    group: str


def table() -> tuple[SettingRow, ...]:
    """Return every setting for documentation and `doctor`; defaults only, never a value in use."""
    rows = []
    for name, info in Settings.model_fields.items():
        default = ",".join(info.default) if isinstance(info.default, tuple) else info.default
        shown = "" if info.is_required() or info.default_factory or default in (None, "") else str(default)
        shown = shown.replace(str(Path.home()), "~")
        rows.append(SettingRow(f"{PREFIX}{name.upper()}", shown, info.description or "", _group(name)))
    return tuple(rows)


def page() -> str:
    """Return `docs/settings.md`: a table for each group, the installation's own first."""
    rows = sorted(table(), key=lambda row: row.group != _REST)  # sorting keeps the order within a group
    parts = (_part(group, some) for group, some in groupby(rows, lambda row: row.group))
    return "\n".join((_HEAD, *(line for part in parts for line in part)))


def _part(group: str, rows: Iterator[SettingRow]) -> Iterator[str]:
    yield from (f"## {group.rstrip('.')}", "", "| variable | default | meaning |", "|---|---|---|")
    for row in rows:
        yield f"| `{row.variable}` | {f'`{row.default}`' if row.default else ''} | {row.meaning} |"
    yield ""


def _group(name: str) -> str:
    """Return the first line of what the class that declares a setting says of itself."""
    for owner in Settings.__mro__[1:]:
        if issubclass(owner, BaseModel) and name in owner.__annotations__ and (owner.__doc__ or ""):
            return str(owner.__doc__).partition("\n")[0]
    return _REST


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what this command is for

"""Reads the policy, one file or a folder of files that make one, with exact errors; it decides nothing."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from support_agents.domain.action import ActionKind
from support_agents.domain.voice import Voice
from support_agents.own_files import OwnFile
from support_agents.policy.check_policy import CheckPolicy
from support_agents.policy.clauses import Clause
from support_agents.policy.delivery import Deliveries
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.steps import STEPS

Model = TypeVar("Model", bound=BaseModel)

_CODE = "policy_invalid"
_CLAUSES = "clauses"
_PARTS = ("version", _CLAUSES, "deliveries", "checks", "voice", "steps")
_ENDINGS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True)
class _Part:
    """What stands under a name, and in which file."""

    name: str
    file: OwnFile
    data: object

    def read_as(self, model: type[Model]) -> Model:
        """Return it as `model`; what is left empty is as if it were not there."""
        return self.file.part(model, self.data or {}, self.name)


@dataclass(frozen=True)
class _Placed:
    """A clause, and the file that it stands in."""

    clause: Clause
    file: OwnFile


def load_policy(path: Path) -> PolicyLedger:
    """Read a policy file, or the YAML files of a folder as if they were one; errors name file, clause and field.

    Every file of a folder may have clauses; each other part, `version` included, stands in one of them.
    """
    files = _files(path)
    contents = [file.read() for file in files]
    found = [part for file, content in zip(files, contents, strict=True) for part in _parts(file, content)]
    clauses = [one for part in found if part.name == _CLAUSES for one in _clauses(part)]
    once = _once(part for part in found if part.name != _CLAUSES)
    whole = OwnFile(path, _CODE)
    if not any(part.name == _CLAUSES for part in found):
        raise whole.refused("needs `version` and a list `clauses`")
    version, checks, steps = (once.get(name, _Part(name, whole, None)) for name in ("version", "checks", "steps"))
    if not version.data:
        raise version.file.refused("needs a `version`")
    _refuse_overlaps(clauses)
    deliveries, voice = once.get("deliveries"), once.get("voice")
    return PolicyLedger(
        version=f"{version.data}.{hashlib.sha256(b''.join(contents)).hexdigest()[:8]}",
        clauses=tuple(one.clause for one in clauses),
        deliveries=None if deliveries is None or deliveries.data is None else deliveries.read_as(Deliveries),
        checks=checks.read_as(CheckPolicy),
        offered=_offered(steps),
        voice=Voice() if voice is None else voice.read_as(Voice),
        checks_from=checks.file.path,
    )


def _files(path: Path) -> Sequence[OwnFile]:
    whole = OwnFile(path, _CODE)
    if not path.is_dir():
        return (whole,)
    try:
        found = sorted(one for one in path.iterdir() if one.suffix in _ENDINGS and not one.name.startswith("."))
    except OSError as error:
        raise whole.refused(f"this folder cannot be read: {error.strerror}") from error
    if not found:
        raise whole.refused("no file in this folder ends in .yaml or .yml")
    return [OwnFile(one, _CODE) for one in found]


def _parts(file: OwnFile, content: bytes) -> list[_Part]:
    data = file.parsed(content)
    if not isinstance(data, dict) or not isinstance(data.get(_CLAUSES, []), list):
        raise file.refused("needs `version` and a list `clauses`")
    if unknown := next((str(name) for name in data if name not in _PARTS), None):
        # Left out silently, a part with a slip in its name would switch off what it was written for.
        raise file.refused(f"there is no part “{unknown}”; known: {', '.join(_PARTS)}")
    return [_Part(name, file, value) for name, value in data.items()]


def _once(parts: Iterable[_Part]) -> Mapping[str, _Part]:
    """Return the parts by name; one that stands in two files is refused, for which of them holds nobody could say."""
    known: dict[str, _Part] = {}
    for part in parts:
        if (other := known.setdefault(part.name, part)) is not part:
            raise part.file.refused(f"{part.name}: stands in {other.file.path.name} as well; keep one of them")
    return known


def _offered(part: _Part) -> frozenset[ActionKind]:
    known = {kind.value: kind for kind in STEPS}
    named = [] if part.data is None else part.data
    if not isinstance(named, list) or not all(isinstance(name, str) and name in known for name in named):
        raise part.file.refused(f"steps: a list of {', '.join(sorted(known))}")
    return frozenset(known[name] for name in named)


def _clauses(part: _Part) -> list[_Placed]:
    items = part.data if isinstance(part.data, list) else []
    return [_Placed(_clause(part.file, number, item), part.file) for number, item in enumerate(items, start=1)]


def _clause(file: OwnFile, number: int, item: object) -> Clause:
    name = item.get("id", f"number {number}") if isinstance(item, dict) else f"number {number}"
    return file.part(Clause, item, f"clause {name}")


def _refuse_overlaps(clauses: Sequence[_Placed]) -> None:
    """Two versions of one clause must not hold on the same day, whichever files they stand in."""
    for position, placed in enumerate(clauses):
        clause = placed.clause
        for before in clauses[:position]:
            other = before.clause
            if clause.id != other.id:
                continue
            where = "" if before.file == placed.file else f" (the other is in {before.file.path.name})"
            if clause.version == other.version:
                raise placed.file.refused(f"clause {clause.id}: version: {clause.version} stands twice{where}")
            later = max(clause.valid_from, other.valid_from)
            if clause.holds_on(later) and other.holds_on(later):
                raise placed.file.refused(f"clause {clause.id}: valid_from: versions hold on the same day{where}")

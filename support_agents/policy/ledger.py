"""The policy file: loads it with exact errors, finds the clauses in force on a day; an expired one never applies."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from support_agents.domain.action import ActionKind, ClauseRef
from support_agents.domain.errors import SupportError
from support_agents.domain.voice import Voice
from support_agents.policy.check_policy import CheckPolicy
from support_agents.policy.clauses import Clause
from support_agents.policy.delivery import Deliveries
from support_agents.policy.steps import STEPS
from support_agents.wording.values import Value, unconfirmed, values_in

Part = TypeVar("Part", bound=BaseModel)


@dataclass(frozen=True)
class PolicyLedger:
    """All clauses of one file; `version` is the file's own, with the hash of its bytes.

    `offered` are the steps in the shop's own systems that may be proposed at all; none unless the file names them.
    """

    version: str
    clauses: tuple[Clause, ...] = ()
    deliveries: Deliveries | None = None
    checks: CheckPolicy = field(default_factory=CheckPolicy)
    offered: frozenset[ActionKind] = frozenset()
    voice: Voice = field(default_factory=Voice)

    def clauses_for(self, intent: str, today: date) -> tuple[Clause, ...]:
        """Return the clauses about `intent` that hold on `today`, in file order."""
        return tuple(c for c in self.clauses if intent in c.applies_to and c.holds_on(today))

    def expired(self, today: date) -> tuple[Clause, ...]:
        """Return the clauses whose last day is over, in file order: someone should renew them or take them out."""
        return tuple(c for c in self.clauses if c.valid_until is not None and c.valid_until < today)

    def clause(self, ref: ClauseRef) -> Clause | None:
        """Return the clause at exactly this version, in force or not; None when the file has it no more."""
        return next((c for c in self.clauses if c.ref == ref), None)

    def check_claim(self, claim: str, refs: tuple[ClauseRef, ...], today: date) -> tuple[str, ...]:
        """Return what is wrong with stating `claim` on the strength of `refs`; empty when nothing is."""
        cited = [self.clause(ref) for ref in refs]
        problems = [
            f"clause {ref.id} v{ref.version} is unknown" for ref, c in zip(refs, cited, strict=True) if c is None
        ]
        known = [clause for clause in cited if clause is not None]
        problems += [f"clause {c.id} v{c.version} does not hold on {today}" for c in known if not c.holds_on(today)]
        support: list[Value] = [value for clause in known for value in values_in(clause.text)]
        missing = unconfirmed(values_in(claim), support)
        return (*problems, *(f"“{value.text}” is in none of the clauses" for value in missing))


def load_policy(path: Path) -> PolicyLedger:
    """Read a policy file; every error names the file, the clause and the field."""
    try:
        content = path.read_bytes()
        data = yaml.load(content, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise _invalid(path, f"is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict) or not isinstance(data.get("clauses"), list):
        raise _invalid(path, "needs `version` and a list `clauses`")
    if not data.get("version"):
        raise _invalid(path, "needs a `version`")
    clauses = tuple(_clause(path, number, item) for number, item in enumerate(data["clauses"], start=1))
    _refuse_overlaps(path, clauses)
    version = f"{data['version']}.{hashlib.sha256(content).hexdigest()[:8]}"
    deliveries = None if data.get("deliveries") is None else _part(path, "deliveries", Deliveries, data["deliveries"])
    checks = _part(path, "checks", CheckPolicy, data.get("checks") or {})
    voice = _part(path, "voice", Voice, data.get("voice") or {})
    return PolicyLedger(version, clauses, deliveries, checks, _offered(path, data.get("steps")), voice)


def _offered(path: Path, data: object) -> frozenset[ActionKind]:
    known = {kind.value: kind for kind in STEPS}
    named = [] if data is None else data
    if not isinstance(named, list) or not all(isinstance(name, str) and name in known for name in named):
        raise _invalid(path, f"steps: a list of {', '.join(sorted(known))}")
    return frozenset(known[name] for name in named)


def _part(path: Path, name: str, model: type[Part], data: object) -> Part:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise _invalid(path, f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _clause(path: Path, number: int, item: object) -> Clause:
    try:
        return Clause.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        name = item.get("id", f"number {number}") if isinstance(item, dict) else f"number {number}"
        field = ".".join(str(part) for part in first["loc"]) or "clause"
        raise _invalid(path, f"clause {name}: {field}: {first['msg']}") from error


def _refuse_overlaps(path: Path, clauses: tuple[Clause, ...]) -> None:
    """Two versions of one clause must not hold on the same day."""
    for position, clause in enumerate(clauses):
        for other in clauses[:position]:
            if clause.id != other.id:
                continue
            if clause.version == other.version:
                raise _invalid(path, f"clause {clause.id}: version: {clause.version} stands twice")
            if clause.holds_on(max(clause.valid_from, other.valid_from)) and other.holds_on(
                max(clause.valid_from, other.valid_from)
            ):
                raise _invalid(path, f"clause {clause.id}: valid_from: versions hold on the same day")


def _invalid(path: Path, problem: str) -> SupportError:
    return SupportError("policy_invalid", f"{path}: {problem}")

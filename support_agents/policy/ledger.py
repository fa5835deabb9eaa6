"""The policy file: loads it with exact errors, finds the clauses in force on a day; an expired one never applies."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from support_agents.domain.action import ActionKind, ClauseRef
from support_agents.domain.voice import Voice
from support_agents.own_files import OwnFile
from support_agents.policy.check_policy import CheckPolicy
from support_agents.policy.clauses import Clause
from support_agents.policy.delivery import Deliveries
from support_agents.policy.steps import STEPS
from support_agents.wording.values import Value, unconfirmed, values_in

_CODE = "policy_invalid"
_PARTS = ("version", "clauses", "deliveries", "checks", "voice", "steps")


@dataclass(frozen=True)
class PolicyLedger:
    """All clauses of one file; `version` is the file's own, with the hash of its bytes.

    `offered` are the steps in the shop's own systems that may be proposed at all; none unless the file names them.
    `checks_from` is the file that sets the checks, so that who knows their names can tell where a wrong one stands.
    """

    version: str
    clauses: tuple[Clause, ...] = ()
    deliveries: Deliveries | None = None
    checks: CheckPolicy = field(default_factory=CheckPolicy)
    offered: frozenset[ActionKind] = frozenset()
    voice: Voice = field(default_factory=Voice)
    checks_from: Path | None = None

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
    file = OwnFile(path, _CODE)
    content = file.read()
    data = file.parsed(content)
    if not isinstance(data, dict) or not isinstance(data.get("clauses"), list):
        raise file.refused("needs `version` and a list `clauses`")
    if unknown := next((str(name) for name in data if name not in _PARTS), None):
        # Left out silently, a part with a slip in its name would switch off what it was written for.
        raise file.refused(f"there is no part “{unknown}”; known: {', '.join(_PARTS)}")
    if not data.get("version"):
        raise file.refused("needs a `version`")
    clauses = tuple(_clause(file, number, item) for number, item in enumerate(data["clauses"], start=1))
    _refuse_overlaps(file, clauses)
    deliveries = data.get("deliveries")
    return PolicyLedger(
        version=f"{data['version']}.{hashlib.sha256(content).hexdigest()[:8]}",
        clauses=clauses,
        deliveries=None if deliveries is None else file.part(Deliveries, deliveries, "deliveries"),
        checks=file.part(CheckPolicy, data.get("checks") or {}, "checks"),
        offered=_offered(file, data.get("steps")),
        voice=file.part(Voice, data.get("voice") or {}, "voice"),
        checks_from=path,
    )


def _offered(file: OwnFile, data: object) -> frozenset[ActionKind]:
    known = {kind.value: kind for kind in STEPS}
    named = [] if data is None else data
    if not isinstance(named, list) or not all(isinstance(name, str) and name in known for name in named):
        raise file.refused(f"steps: a list of {', '.join(sorted(known))}")
    return frozenset(known[name] for name in named)


def _clause(file: OwnFile, number: int, item: object) -> Clause:
    name = item.get("id", f"number {number}") if isinstance(item, dict) else f"number {number}"
    return file.part(Clause, item, f"clause {name}")


def _refuse_overlaps(file: OwnFile, clauses: tuple[Clause, ...]) -> None:
    """Two versions of one clause must not hold on the same day."""
    for position, clause in enumerate(clauses):
        for other in clauses[:position]:
            if clause.id != other.id:
                continue
            if clause.version == other.version:
                raise file.refused(f"clause {clause.id}: version: {clause.version} stands twice")
            if clause.holds_on(max(clause.valid_from, other.valid_from)) and other.holds_on(
                max(clause.valid_from, other.valid_from)
            ):
                raise file.refused(f"clause {clause.id}: valid_from: versions hold on the same day")

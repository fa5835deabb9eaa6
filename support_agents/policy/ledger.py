"""The clauses of the policy, and which are in force on a day; an expired one never applies."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from support_agents.domain.action import ActionKind, ClauseRef
from support_agents.domain.voice import Voice
from support_agents.policy.check_policy import CheckPolicy
from support_agents.policy.clauses import Clause
from support_agents.policy.delivery import Deliveries
from support_agents.wording.values import Value, unconfirmed, values_in


@dataclass(frozen=True)
class PolicyLedger:
    """All clauses of a policy; `version` is the one it gives itself, with the hash of its bytes.

    `offered` are the steps in the shop's own systems that may be proposed at all; none unless the policy names them.
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

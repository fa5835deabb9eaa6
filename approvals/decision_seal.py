"""Who could have made a decision: an HMAC over what it says, by a key that only those have who decide and who act."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

import rfc8785

from db.repositories.approvals import Decision, NewDecision
from support_agents.domain.errors import SupportError

FORGED = "a decision about it was not made by this installation"
_VERSION = "1"


@dataclass(frozen=True)
class DecisionSeal:
    """Seals and verifies; one without a key, as a process has that neither decides nor acts, can do neither."""

    key: bytes | None = field(repr=False)

    def of(self, decision: NewDecision) -> str:
        """Return the seal: hex of HMAC-SHA256 over whose answer it is, to which bytes, in which session and when."""
        if self.key is None:
            raise SupportError("not_allowed", "this process has no key to decide or to act with")
        return hmac.digest(self.key, _told(decision), "sha256").hex()

    def objection(self, decisions: Iterable[Decision]) -> str | None:
        """Why nothing may follow from these decisions, if one of them is not sealed by our key."""
        honest = all(hmac.compare_digest(self.of(each).encode(), each.seal.encode()) for each in decisions)
        return None if honest else FORGED


def _told(decision: NewDecision) -> bytes:
    """What is sealed; the reason is a person's words, which may be erased."""
    return rfc8785.dumps(
        {
            "version": _VERSION,
            "id": str(decision.id),
            "workspace": str(decision.workspace_id),
            "request": str(decision.request_id),
            "digest": decision.digest,
            "operator": str(decision.operator_id),
            "session": str(decision.session_id),
            "role": str(decision.role),
            "verdict": str(decision.verdict),
            "at": decision.created_at.isoformat(),
        }
    )

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
    older: tuple[bytes, ...] = field(default=(), repr=False)  # accepted, while one key takes another's place

    def of(self, decision: NewDecision) -> str:
        """Return the seal: hex of HMAC-SHA256 over whose answer it is, to which bytes, in which session and when."""
        if self.key is None:
            raise SupportError("not_allowed", "this process has no key to decide or to act with")
        return _sealed(self.key, decision)

    def is_present(self, decision: Decision) -> bool:
        """Whether it was sealed by the present key, not an older one."""
        return hmac.compare_digest(self.of(decision).encode(), decision.seal.encode())

    def objection(self, decisions: Iterable[Decision]) -> str | None:
        """Why nothing may follow from these decisions, if one of them is not sealed by our key."""
        honest = all(self.is_present(each) or self._was_ours(each) for each in decisions)
        return None if honest else FORGED

    def _was_ours(self, decision: Decision) -> bool:
        seals = (_sealed(key, decision) for key in self.older)
        return any(hmac.compare_digest(seal.encode(), decision.seal.encode()) for seal in seals)


def _sealed(key: bytes, decision: NewDecision) -> str:
    return hmac.digest(key, _told(decision), "sha256").hex()


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

"""Vocabulary of approval and execution: states, triggers, verdicts. The transitions are in `approvals.lifecycle`."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class RequestStatus(StrEnum):
    """Where an approval request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class DecisionVerdict(StrEnum):
    """A person's answer to an approval request."""

    APPROVE = "approve"
    REJECT = "reject"


class RejectReason(StrEnum):
    """Why a proposal was rejected, typed; those that a drafter can act upon are acted upon in the next draft."""

    WRONG_FACT = "wrong_fact"
    WRONG_TONE = "wrong_tone"
    TOO_LONG = "too_long"
    WRONG_MACRO = "wrong_macro"
    ASK_ORDER = "ask_order"
    NOT_ASKED = "not_asked"
    MISSING = "missing"
    POLICY = "policy"
    OTHER = "other"

    @property
    def label(self) -> str:
        """As people choose and read it; a decision's reason begins with it."""
        return _LABELS[self]


_LABELS = {
    RejectReason.WRONG_FACT: "A fact is wrong",
    RejectReason.WRONG_TONE: "The tone is wrong",
    RejectReason.TOO_LONG: "It is too long",
    RejectReason.WRONG_MACRO: "It is the wrong template",
    RejectReason.ASK_ORDER: "Ask for the order number first",
    RejectReason.NOT_ASKED: "It does not answer the question",
    RejectReason.MISSING: "Something is missing",
    RejectReason.POLICY: "Against our policy",
    RejectReason.OTHER: "Another reason",
}


class RejectedDraft(BaseModel):
    """A draft of the same revision that a person rejected: why, in their words, and the macros that it came from."""

    model_config = ConfigDict(frozen=True)

    reason: RejectReason
    words: str = Field(default="", max_length=1_000)
    macros: str = Field(default="", description="as the draft names them, `id/case@version` joined by `+`")

    @classmethod
    def read(cls, said: str, macros: str) -> "RejectedDraft":
        """Take a decision's reason apart; free text counts as another reason."""
        for reason in RejectReason:
            if said.startswith(reason.label):
                return cls(reason=reason, words=said.removeprefix(reason.label).lstrip(": ")[:1_000], macros=macros)
        return cls(reason=RejectReason.OTHER, words=said[:1_000], macros=macros)

    @property
    def line(self) -> str:
        """The reason in one line of words."""
        return " ".join(f"{self.reason.label}: {self.words}".rstrip(": ").split())


class ExecutionStatus(StrEnum):
    """Where the carrying out of an approved action stands."""

    SCHEDULED = "scheduled"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Role(StrEnum):
    """What an operator may do; each includes the ones above it."""

    VIEWER = "viewer"
    APPROVER = "approver"
    MANAGER = "manager"
    ADMIN = "admin"


class Mode(StrEnum):
    """How far a workspace lets an approved reply go: nowhere, an internal note, the customer."""

    OBSERVE = "observe"
    NOTE = "note"
    REPLY = "reply"

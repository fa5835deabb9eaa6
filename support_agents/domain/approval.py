"""Vocabulary of approval and execution: states, triggers, verdicts. The transitions are in `approvals.lifecycle`."""

from enum import StrEnum


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

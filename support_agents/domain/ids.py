"""Typed identifiers; every one of ours is a UUIDv7, so that keys sort by time."""

import os
import time
from typing import NewType
from uuid import UUID

WorkspaceId = NewType("WorkspaceId", UUID)
TicketId = NewType("TicketId", UUID)
MessageId = NewType("MessageId", UUID)
InboxId = NewType("InboxId", UUID)
RunId = NewType("RunId", UUID)
ActionId = NewType("ActionId", UUID)
RequestId = NewType("RequestId", UUID)
DecisionId = NewType("DecisionId", UUID)
ExecutionId = NewType("ExecutionId", UUID)
AttemptId = NewType("AttemptId", UUID)
OutboxId = NewType("OutboxId", UUID)
OperatorId = NewType("OperatorId", UUID)
SessionId = NewType("SessionId", UUID)
PassageId = NewType("PassageId", UUID)
SlackLinkId = NewType("SlackLinkId", UUID)

DEFAULT_WORKSPACE = WorkspaceId(UUID("00000000-0000-7000-8000-000000000001"))


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits."""
    value = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)

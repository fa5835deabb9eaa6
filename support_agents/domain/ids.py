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
    """Return a new UUIDv7 (RFC 9562): Unix milliseconds, their fraction in 4,096ths, then 62 random bits.

    The fraction (method 3 of section 6.2) puts identifiers of one millisecond in the order they were made in.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random)

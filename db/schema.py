"""All tables in one metadata, for migrations and for the tests that compare; nothing else needs it whole."""

from db.base import Base
from db.models import (
    approvals,
    audit,
    executions,
    inbox,
    inside_steps,
    knowledge,
    operators,
    outbox,
    refund_ledger,
    runs,
    subjects,
    tickets,
    workspaces,
)

MODULES = (
    approvals,
    audit,
    executions,
    inbox,
    inside_steps,
    knowledge,
    operators,
    outbox,
    refund_ledger,
    runs,
    subjects,
    tickets,
    workspaces,
)
METADATA = Base.metadata

"""All tables in one metadata, for migrations and for the tests that compare; nothing else needs it whole."""

from db.base import Base
from db.models import (
    approvals,
    audit,
    dispatch,
    executions,
    inbox,
    inside_steps,
    knowledge,
    messaging,
    money_claims,
    operators,
    outbox,
    provider_events,
    refund_ledger,
    reviewing,
    runs,
    second_factors,
    slack,
    subjects,
    tickets,
    workspaces,
)

MODULES = (
    approvals,
    audit,
    dispatch,
    executions,
    inbox,
    inside_steps,
    knowledge,
    messaging,
    money_claims,
    operators,
    outbox,
    provider_events,
    refund_ledger,
    reviewing,
    runs,
    slack,
    second_factors,
    subjects,
    tickets,
    workspaces,
)
METADATA = Base.metadata

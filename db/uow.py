"""One unit of work: every repository over one transaction. It neither begins nor ends that transaction."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.base import database_now
from db.repositories.approvals import Approvals
from db.repositories.audit import Audit
from db.repositories.executions import Executions
from db.repositories.inbox import Inbox
from db.repositories.inside_steps import InsideSteps
from db.repositories.knowledge import Knowledge
from db.repositories.operators import Operators
from db.repositories.outbox import Outbox
from db.repositories.refund_ledger import RefundLedger
from db.repositories.runs import Runs
from db.repositories.sign_in import ApiTokens, SignInFailures
from db.repositories.subjects import Subjects
from db.repositories.tickets import Tickets
from db.repositories.workspaces import Workspaces

NOW = select(database_now())


class UnitOfWork:
    """Made by `Database.write` and `Database.read`; `session` is for read models of this package only."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.inbox = Inbox(session)
        self.tickets = Tickets(session)
        self.runs = Runs(session)
        self.outbox = Outbox(session)
        self.audit = Audit(session)
        self.knowledge = Knowledge(session)
        self.operators = Operators(session)
        self.api_tokens = ApiTokens(session)
        self.sign_in_failures = SignInFailures(session)
        self.subjects = Subjects(session)
        self.workspaces = Workspaces(session)
        self.approvals = Approvals(session)
        self.executions = Executions(session)
        self.inside_steps = InsideSteps(session)
        self.refund_ledger = RefundLedger(session)

    async def now(self) -> datetime:
        """The database's clock, aware, in UTC."""
        return (await self.session.execute(NOW)).scalar_one()

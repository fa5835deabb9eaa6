"""One unit of work: every repository over one transaction. It neither begins nor ends that transaction."""

from collections.abc import Collection
from datetime import datetime

from db.base import NOW
from db.repositories.approvals import Approvals
from db.repositories.attachments import Attachments
from db.repositories.audit import Audit
from db.repositories.dispatch import DispatchStops
from db.repositories.executions import Executions
from db.repositories.inbox import Inbox
from db.repositories.inside_steps import InsideSteps
from db.repositories.intent_corrections import IntentCorrections
from db.repositories.knowledge import Knowledge
from db.repositories.messaging import CardClaims, Notices, PostedCards
from db.repositories.money_claims import MoneyClaims
from db.repositories.operators import Operators
from db.repositories.outbox import Outbox
from db.repositories.provider_events import ProviderEvents
from db.repositories.refund_ledger import RefundLedger
from db.repositories.reviewing import Reviewing
from db.repositories.runs import Runs
from db.repositories.second_factors import SecondFactors
from db.repositories.secret_keys import SecretKeys
from db.repositories.sign_in import ApiTokens, SignInFailures
from db.repositories.slack import Slack
from db.repositories.subjects import Subjects
from db.repositories.tickets import Tickets
from db.repositories.workspaces import Workspaces
from db.statements import Statements
from support_agents.domain.events import EventName


class UnitOfWork:
    """Made by `Database.write` and `Database.read`; `session` is for read models of this package only."""

    def __init__(self, session: Statements, heard: Collection[EventName] = ()) -> None:
        self.session = session
        self.inbox = Inbox(session)
        self.tickets = Tickets(session)
        self.runs = Runs(session)
        self.outbox = Outbox(session, heard)
        self.audit = Audit(session)
        self.attachments = Attachments(session)
        self.knowledge = Knowledge(session)
        self.operators = Operators(session)
        self.api_tokens = ApiTokens(session)
        self.sign_in_failures = SignInFailures(session)
        self.subjects = Subjects(session)
        self.workspaces = Workspaces(session)
        self.approvals = Approvals(session, self.outbox)
        self.executions = Executions(session, self.outbox)
        self.inside_steps = InsideSteps(session)
        self.provider_events = ProviderEvents(session)
        self.refund_ledger = RefundLedger(session)
        self.posted_cards = PostedCards(session)
        self.card_claims = CardClaims(session, self.outbox)
        self.notices = Notices(session)
        self.slack = Slack(session)
        self.reviewing = Reviewing(session)
        self.intent_corrections = IntentCorrections(session)
        self.money_claims = MoneyClaims(session)
        self.dispatch_stops = DispatchStops(session)
        self.second_factors = SecondFactors(session)
        self.secret_keys = SecretKeys(session)

    async def now(self) -> datetime:
        """The database's clock, aware, in UTC."""
        return (await self.session.execute(NOW)).scalar_one()

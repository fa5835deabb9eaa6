"""One unit of work: every repository over one transaction. It neither begins nor ends that transaction."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Generic, TypeVar

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

Made = TypeVar("Made")


class _Repository(Generic[Made]):
    """A repository of a unit of work, made when it is first asked for: few units ask for more than three."""

    def __init__(self, make: "Callable[[UnitOfWork], Made]") -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, uow: "UnitOfWork", _owner: type) -> Made:
        # From now on the unit's own attribute is found before this.
        made = vars(uow)[self._name] = self._make(uow)
        return made


def _of(repository: Callable[[Statements], Made]) -> _Repository[Made]:
    return _Repository(lambda uow: repository(uow.session))


class UnitOfWork:
    """Made by `Database.write` and `Database.read`; `session` is for read models of this package only."""

    session: Statements
    outbox: Outbox
    inbox = _of(Inbox)
    tickets = _of(Tickets)
    runs = _of(Runs)
    audit = _of(Audit)
    attachments = _of(Attachments)
    knowledge = _of(Knowledge)
    operators = _of(Operators)
    api_tokens = _of(ApiTokens)
    sign_in_failures = _of(SignInFailures)
    subjects = _of(Subjects)
    workspaces = _of(Workspaces)
    approvals = _Repository(lambda uow: Approvals(uow.session, uow.outbox))
    executions = _Repository(lambda uow: Executions(uow.session, uow.outbox))
    inside_steps = _of(InsideSteps)
    provider_events = _of(ProviderEvents)
    refund_ledger = _of(RefundLedger)
    posted_cards = _of(PostedCards)
    card_claims = _Repository(lambda uow: CardClaims(uow.session, uow.outbox))
    notices = _of(Notices)
    slack = _of(Slack)
    reviewing = _of(Reviewing)
    intent_corrections = _of(IntentCorrections)
    money_claims = _of(MoneyClaims)
    dispatch_stops = _of(DispatchStops)
    second_factors = _of(SecondFactors)
    secret_keys = _of(SecretKeys)

    def __init__(self, session: Statements, heard: Collection[EventName] = ()) -> None:
        self.session = session
        self.outbox = Outbox(session, heard)

    async def now(self) -> datetime:
        """The database's clock, aware, in UTC."""
        return (await self.session.execute(NOW)).scalar_one()

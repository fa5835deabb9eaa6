"""Roles that the outside plays for approvals, and what can come of asking it; adapters and fakes implement these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from support_agents.domain.approval import Role
from support_agents.domain.ids import ActionId, OperatorId, SessionId, WorkspaceId
from support_agents.domain.money import Money


class Surface(StrEnum):
    """Where a person decides; some amounts are for the console or the REST interface only."""

    CONSOLE = "console"
    REST = "rest"
    SLACK = "slack"


@dataclass(frozen=True)
class Person:
    """A human in an interactive session; made from a session cookie or a verified Slack click and by nothing else."""

    operator_id: OperatorId
    session_id: SessionId
    workspace: WorkspaceId
    role: Role
    email: str
    surface: Surface = Surface.CONSOLE


@dataclass(frozen=True)
class Receipt:
    """A provider's proof that the effect happened: its own reference."""

    reference: str


@dataclass(frozen=True)
class Refused:
    """The provider said no for good; nothing happened."""

    code: str
    message: str


@dataclass(frozen=True)
class Conflict:
    """The provider refused on a precondition: the world moved on; nothing happened."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """No certain answer: the effect may or may not have happened, or the provider did not answer a question."""

    reason: str


@dataclass(frozen=True)
class NotNow:
    """Nothing happened, for certain, and the same may work later: a server out of reach, a greylisted letter."""

    reason: str


@dataclass(frozen=True)
class Absent:
    """A strongly consistent read that did not find the effect."""


Performed = Receipt | Refused | Conflict | Unknown | NotNow
Found = Receipt | Absent | Unknown


@dataclass(frozen=True)
class RefundOrder:
    """A refund as a payment provider is asked for it; `key` is the idempotency key."""

    key: str
    action: ActionId
    payment_ref: str
    amount: Money


class PaymentGateway(Protocol):
    """Books refunds; the same key with the same parameters gives the same receipt and one effect."""

    @property
    def name(self) -> str:
        """Which provider this is, as an approved refund names it."""
        ...

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        ...

    async def refund(self, order: RefundOrder) -> Performed:
        """Book the refund; refuses more than is left of the payment."""
        ...

    async def find(self, payment_ref: str, action: ActionId) -> Found | Refused:
        """Look for a refund of this action under any key, strongly consistent; refused: it was tried and has failed."""
        ...


@dataclass(frozen=True)
class HelpdeskTicket:
    """A ticket as the helpdesk has it now; `stamp` changes with every update.

    `copied` are the addresses of those besides the requester who would be sent a public comment; who is known by a
    number only stands as `user <number>`, which equals no address.
    """

    stamp: str
    requester_email: str
    open: bool
    last_foreign_comment_at: datetime | None
    copied: frozenset[str]


@dataclass(frozen=True)
class Missing:
    """The helpdesk knows no such ticket."""


@dataclass(frozen=True)
class Comment:
    """A comment as it is to be written; `marker` comes back in the ticket's history and is invisible to customers."""

    external_ticket: str
    text: str
    html: str
    public: bool
    marker: str
    stamp: str | None = None


class HelpdeskGateway(Protocol):
    """Reads and writes one helpdesk's tickets."""

    @property
    def live(self) -> bool:
        """Whether real customers read it."""
        ...

    async def look(self, external_ticket: str) -> HelpdeskTicket | Missing | Unknown:
        """Read the ticket's present state."""
        ...

    async def comment(self, comment: Comment) -> Performed:
        """Write a comment; with a `stamp` only if the ticket was not updated since."""
        ...

    async def find(self, external_ticket: str, marker: str) -> Found:
        """Look for a comment whose marker begins with `marker` in the ticket's whole history."""
        ...


@dataclass(frozen=True)
class Letter:
    """A finished message: the envelope's addresses and the exact bytes."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass(frozen=True)
class StepOrder:
    """A step as a shop's own system is asked for it: the exact body, its address, the idempotency key."""

    key: str
    url: str
    body: str


class StepGateway(Protocol):
    """Asks the shop's own systems for steps; signed, at most once a call."""

    @property
    def live(self) -> bool:
        """Whether the steps are real."""
        ...

    async def ask(self, order: StepOrder) -> Performed:
        """Ask for the step; the same key asks for the same step."""
        ...

    async def find(self, status_url: str) -> Found | Refused:
        """Ask what became of an action under any key; refused: it was tried and has failed."""
        ...


class MailTransport(Protocol):
    """Hands letters to a mail server, at most once; it cannot be asked later."""

    @property
    def live(self) -> bool:
        """Whether real customers receive it."""
        ...

    @property
    def dkim(self) -> str:
        """What it signs letters under, `selector._domainkey.domain`; empty: nothing."""
        ...

    async def send(self, letter: Letter, *, before_data: Callable[[], Awaitable[bool]]) -> Performed:
        """Send; `before_data` is awaited when all recipients are accepted, and False from it means: do not."""
        ...

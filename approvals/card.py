"""A request as a card on any surface: frozen, complete and free of the present time; it renders nothing."""

import hashlib
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from approvals.wording import Tone
from support_agents.domain.ids import ExecutionId, RequestId, TicketId, WorkspaceId

# Part of every fingerprint: raise it when surfaces draw cards in another way, and every card is drawn again.
CARD_VERSION = 2
LONGEST_WORDS = 300
ROW_WORDS = 60


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomerWords(_Frozen):
    """What the customer wrote last, without older mail; `cut` when some of it stands behind More only."""

    text: str = Field(max_length=LONGEST_WORDS + 1)
    cut: bool = False
    attachments: tuple[str, ...] = ()


class Letter(_Frozen):
    """The exact reply; `text` is whole, however long."""

    to: str
    cc: tuple[str, ...] = ()
    subject: str
    text: str
    way: str
    live: bool
    attachments: tuple[str, ...] = ()
    signed_by: str = ""

    @property
    def line(self) -> str:
        """Where it goes and whether it is real."""
        copies = f", copy to {', '.join(self.cc)}" if self.cc else ""
        return f"{self.way} to {self.to}{copies} · {mode_of(live=self.live)}"


class Payment(_Frozen):
    """The exact refund."""

    amount: str
    order_id: str
    account_last4: str
    live: bool

    @property
    def line(self) -> str:
        """Amount, account and mode in one line."""
        account = f"account •••• {self.account_last4}"
        return f"Refund {self.amount} for {self.order_id} to {account} · {mode_of(live=self.live)}"


class Step(_Frozen):
    """The exact step in the shop's own system; `url` and `body` are the request as it would be sent, whole."""

    what: str
    order_id: str
    requester: str
    way: str
    live: bool
    url: str
    body: str

    @property
    def line(self) -> str:
        """What, which order, whose, by which way and whether it is real."""
        told = (self.what, self.order_id, self.requester, self.way, mode_of(live=self.live))
        return " · ".join(part for part in told if part)


def mode_of(*, live: bool) -> str:
    """Whether real customers and real money are reached."""
    return "live" if live else "test"


class Line(_Frozen):
    """A line with its tone; the words always say it too."""

    text: str
    tone: Tone = Tone.PLAIN


class Findings(_Frozen):
    """The checks' word: one line, the problems below it, and what else there is to say."""

    line: str
    tone: Tone
    problems: tuple[str, ...] = ()
    detail: str = ""


class Stage(StrEnum):
    """Where a card's request stands, as far as a surface has to tell apart."""

    PENDING = "pending"
    STALE = "stale"
    WAITING = "waiting"
    UNDO = "undo"
    LEAVING = "leaving"
    DONE = "done"
    IN_DOUBT = "in_doubt"
    ENDED = "ended"


class CardState(_Frozen):
    """The lower part of a card: who decided what and when, what came of it, until when it can be taken back."""

    stage: Stage
    headline: str = ""
    tone: Tone = Tone.PLAIN
    detail: str = ""
    decisions: tuple[str, ...] = ()
    needs: str = ""
    execution_id: ExecutionId | None = None
    undo_until: datetime | None = None
    receipt: str = ""

    @property
    def decidable(self) -> bool:
        """Whether Approve, Edit and Reject are offered."""
        return self.stage is Stage.PENDING


class Evidence(_Frozen):
    """A passage that the draft quotes."""

    title: str
    quote: str


class More(_Frozen):
    """What stands behind the button More; `said` is the customer's message whole, without older mail."""

    said: str = ""
    order: str = ""
    intent: str = ""
    confidence: str = ""
    cost: str = ""
    took: str = ""
    rung: str = ""
    evidence: tuple[Evidence, ...] = ()
    checks: tuple[str, ...] = ()


class Card(_Frozen):
    """One request as people see it; `blocked` says why it cannot be approved here, whatever the buttons say.

    `fuller`: the reply was cut by the deadline, and a whole one can be looked at.
    """

    workspace: WorkspaceId
    request_id: RequestId
    ticket_id: TicketId
    digest: str
    customer: str
    subject: str
    words: CustomerWords
    order: Line
    letter: Letter | None = None
    payment: Payment | None = None
    step: Step | None = None
    edited_by: str = ""
    waits_for: str = ""
    verdict: Findings
    flags: tuple[Line, ...] = ()
    blocked: tuple[str, ...] = ()
    state: CardState
    more: More = More()
    claimed_by: str = ""
    fuller: bool = False
    high_risk: bool = False
    intent: str = ""
    language: str = ""
    amount_minor: int | None = None
    currency: str | None = None
    created_at: datetime
    expires_at: datetime
    console_url: str = ""

    @property
    def approvable(self) -> bool:
        """Whether Approve is offered."""
        return self.state.decidable and not self.blocked

    @property
    def headline(self) -> str:
        """What it is about, in one line of plain text."""
        what = f"Reply to {self.customer}" if self.letter else self.leaving
        return f"{what}: {self.subject}" if self.subject else what

    @property
    def leaving(self) -> str:
        """What would leave, by which way and whether it is real, in one line."""
        made = self.letter or self.payment or self.step
        return made.line if made else ""

    @property
    def fingerprint(self) -> str:
        """The same for two cards exactly when they look the same."""
        return hashlib.sha256(f"{CARD_VERSION}\n{self.model_dump_json()}".encode()).hexdigest()


class Summary(_Frozen):
    """The hour in one line, for a channel; counts only, nothing from outside, and nobody's name.

    `missed` are checks of attention that somebody approved in that hour.
    """

    waiting: int
    oldest_minutes: int
    decided: int
    needs_person: int
    in_doubt: int
    missed: int = 0
    console_url: str = ""


class Reminder(_Frozen):
    """A request's time is running out; `mention` is the adapter's name of a person or group, from settings only."""

    request_id: RequestId
    headline: str
    left: str
    share: int
    mention: str = ""
    console_url: str = ""


class Notice(_Frozen):
    """A few plain lines to one person; nothing in them is markup."""

    lines: tuple[str, ...]
    console_url: str = ""


class DecisionNotice(_Frozen):
    """What a person decided through a messenger, told to that very person, with `Not me` while that undoes it."""

    request_id: RequestId
    digest: str
    line: str
    until: datetime | None = None
    console_url: str = ""


class HomeRow(_Frozen):
    """One request in a person's own queue; `claimed_by` names whoever looks at it now."""

    request_id: RequestId
    headline: str
    words: str
    flags: tuple[Line, ...] = ()
    expires_at: datetime
    claimed_by: str = ""


class Home(_Frozen):
    """A person's own queue by risk and age; `more` counts what did not fit."""

    name: str
    rows: tuple[HomeRow, ...]
    more: int = 0
    waiting: int = 0
    needs_person: int = 0
    console_url: str = ""


class SheetRow(_Frozen):
    """One ticket of a batch: the customer's words, the order, and the slots that differ, all verified.

    `order` is empty where the slots name the order already.
    """

    request_id: RequestId
    digest: str
    words: CustomerWords
    order: Line
    slots: tuple[tuple[str, str], ...] = ()
    ticked: bool = True

    @property
    def line(self) -> str:
        """Words, slots and order in one line; what differs is whole, the words give way."""
        said = self.words.text.removeprefix("[…] ").removesuffix(" […]")
        short = said if len(said) <= ROW_WORDS else f"{said[: ROW_WORDS - 1].rstrip()}…"
        return " · ".join(part for part in (short, *(value for _, value in self.slots), self.order.text) if part)


LARGEST_SHEET = 20


class SheetLength(StrEnum):
    """How many rows are wanted: what a phone shows at once with the template, or all that a sheet may hold."""

    SCREEN = "screen"
    LONG = "long"


class Sheet(_Frozen):
    """Replies from one template at one version: the template once, a row a ticket; `left` more come after them."""

    length: SheetLength = SheetLength.SCREEN
    left: int = 0
    note: str = ""
    sheet_id: str = Field(max_length=64)
    template: str
    version: str
    text: str
    rows: tuple[SheetRow, ...] = Field(min_length=1, max_length=LARGEST_SHEET)

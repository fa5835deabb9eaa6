"""What a person did in a team messenger, as one of a few typed things; nothing here does anything."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from approvals.card import SheetLength
from approvals.modals import Alternative
from db.repositories.slack import SlackAccount
from support_agents.domain.approval import RejectReason
from support_agents.domain.ids import RequestId


@dataclass(frozen=True)
class About:
    """Which request at which bytes."""

    request_id: RequestId
    digest: str


@dataclass(frozen=True)
class Who:
    """An account as Slack tells it; `foreign` when the person belongs to another organisation than the place."""

    account: SlackAccount
    foreign: bool = False


@dataclass(frozen=True)
class Where:
    """Where it happened, how to answer, and how long it waited here: none of it says what is approved."""

    channel: str = ""
    message: str = ""
    view: str = ""
    view_hash: str = ""
    trigger: str = ""
    answer_to: str = ""
    whispered: bool = False
    waited: timedelta = timedelta()


@dataclass(frozen=True)
class Interaction:
    """Base of everything a person can do."""

    who: Who
    where: Where


@dataclass(frozen=True)
class Approve(Interaction):
    """Approve exactly these bytes."""

    about: About


@dataclass(frozen=True)
class Edit(Interaction):
    """Open the text for editing."""

    about: About


@dataclass(frozen=True)
class EditSubmitted(Interaction):
    """The text as the person wants it."""

    about: About
    text: str


@dataclass(frozen=True)
class TakeAlternative(Interaction):
    """Replace the text by one tap."""

    about: About
    which: Alternative


@dataclass(frozen=True)
class ShowFuller(Interaction):
    """Show the draft that was written whole; nothing changes by looking."""

    about: About


@dataclass(frozen=True)
class Reject(Interaction):
    """Ask for the reason."""

    about: About


@dataclass(frozen=True)
class RejectSubmitted(Interaction):
    """Reject with a reason; `redraft` asks for another draft with it."""

    about: About
    reason: RejectReason
    words: str
    redraft: bool


@dataclass(frozen=True)
class PassOnSubmitted(Interaction):
    """Give the ticket to one of the groups."""

    about: About
    group: str


@dataclass(frozen=True)
class Redraft(Interaction):
    """Ask for another draft in place of this one."""

    about: About


@dataclass(frozen=True)
class More(Interaction):
    """Show what stands behind."""

    about: About


@dataclass(frozen=True)
class Correct(Interaction):
    """Ask what the message was about."""

    about: About


@dataclass(frozen=True)
class CorrectSubmitted(Interaction):
    """What the message was about; the name of an intent, or none."""

    about: About
    intent: str


@dataclass(frozen=True)
class Undo(Interaction):
    """Take an approved action back."""

    about: About


@dataclass(frozen=True)
class NotMe(Interaction):
    """It was not me: take it back and let this account decide nothing more."""

    about: About


@dataclass(frozen=True)
class ApproveSheet(Interaction):
    """Approve the ticked rows of a sheet, each as a decision of its own; `shown` counts all of its rows."""

    sheet_id: str
    ticked: tuple[About, ...]
    shown: int = 0
    length: SheetLength = SheetLength.SCREEN


@dataclass(frozen=True)
class Next(Interaction):
    """Show the next request."""


@dataclass(frozen=True)
class ShowSheet(Interaction):
    """Show replies that can be approved together."""

    length: SheetLength = SheetLength.SCREEN


@dataclass(frozen=True)
class Open(Interaction):
    """Show this request."""

    request_id: RequestId


@dataclass(frozen=True)
class HomeOpened(Interaction):
    """Show my queue."""

    event_id: str


@dataclass(frozen=True)
class LinkAccount(Interaction):
    """Link this account with a code from the console."""

    code: str


@dataclass(frozen=True)
class UnlinkAccount(Interaction):
    """Let this account act for nobody."""


@dataclass(frozen=True)
class Help(Interaction):
    """Say what can be typed."""


@dataclass(frozen=True)
class Foreign(Interaction):
    """Meant for another installation on the same Slack app."""


@dataclass(frozen=True)
class Refused(Interaction):
    """Ours by its name, but not as we made it: unknown, incomplete or tampered with."""

    code: str
    message: str


@dataclass(frozen=True)
class Verification:
    """Slack asks whether this address is ours."""

    challenge: str


@dataclass(frozen=True)
class Ignored:
    """Nothing that anybody waits for an answer to."""

    reason: str


@dataclass(frozen=True)
class Unreadable:
    """Well signed, but of no shape that we know."""

    reason: str


Told = Interaction | Verification | Ignored | Unreadable
Later = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Answer:
    """The body of the acknowledgement, and what is done after it, in order."""

    body: Mapping[str, Any] = field(default_factory=dict)
    later: tuple[Later, ...] = ()


class Clicking(Protocol):
    """Does what people ask for; what they decide is committed before it returns."""

    async def take(self, told: Told, *, waited: timedelta = timedelta()) -> Answer:
        """Do it; a refusal is an answer, and only what may work later is raised.

        `waited` is how long ago it came: a tap in haste is not made slow by waiting here for its turn.
        """
        ...

"""The role that a team messenger plays: show, repaint, whisper, ask; it decides nothing, raises for no outage."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from approvals.card import Card, DecisionNotice, Home, Notice, Reminder, Sheet, Summary
from approvals.modals import Modal
from approvals.ports import Refused

Content = Card | Sheet | Summary | Reminder | Notice | DecisionNotice


@dataclass(frozen=True)
class Place:
    """A channel or a direct conversation, by the messenger's own id."""

    id: str


@dataclass(frozen=True)
class Member:
    """A person in the messenger: (team, user); `enterprise` where several teams share one directory."""

    team: str
    user: str
    enterprise: str = ""


@dataclass(frozen=True)
class MessageRef:
    """One message: where it stands and the messenger's id of it there."""

    place: Place
    id: str


@dataclass(frozen=True)
class ViewRef:
    """An open modal; `hash` guards against writing over a newer state of it."""

    id: str
    hash: str = ""


@dataclass(frozen=True)
class Posted:
    """The messenger took it."""

    ref: MessageRef


@dataclass(frozen=True)
class Opened:
    """The modal is on the person's screen."""

    view: ViewRef


@dataclass(frozen=True)
class Done:
    """The messenger took it; there is nothing to refer to later."""


@dataclass(frozen=True)
class Throttled:
    """Too fast: try again after so many seconds; nothing was shown."""

    retry_after: float


@dataclass(frozen=True)
class Unreachable:
    """No answer, or no sense in it: it may or may not be shown; try again."""

    reason: str


@dataclass(frozen=True)
class Gone:
    """What was to be written to is no more: a deleted message, an expired trigger, a used address, a closed view."""

    reason: str


Trouble = Throttled | Unreachable | Gone | Refused


class Replacing(StrEnum):
    """What an answer to a click does to the message that was clicked."""

    ORIGINAL = "original"
    NOTHING = "nothing"


@dataclass(frozen=True)
class MemberProfile:
    """A person as the messenger knows them now; `foreign` when they belong to another organisation."""

    member: Member
    name: str
    deactivated: bool
    bot: bool
    foreign: bool
    time_zone: str = ""
    locale: str = ""


@dataclass(frozen=True)
class Connection:
    """Who we are to the messenger: its answer to `who am I`, with the scopes that the token has."""

    team: str
    team_name: str
    user: str
    scopes: frozenset[str]
    enterprise: str = ""


class Messenger(Protocol):
    """One installation of a messenger. Every text from outside is shown as text; every answer is typed."""

    async def connection(self) -> Connection | Trouble:
        """Ask who we are."""
        ...

    async def post(self, place: Place, content: Content) -> Posted | Trouble:
        """Show it to everybody in the place. Not idempotent: after `Unreachable` it may stand there."""
        ...

    def pause(self, ref: MessageRef) -> float:
        """Seconds until a message should be repainted, 0 for now: worth asking before the card is made."""
        ...

    async def update(self, ref: MessageRef, content: Content) -> Posted | Trouble:
        """Repaint a message of ours."""
        ...

    async def whisper(self, place: Place, member: Member, content: Content) -> Done | Trouble:
        """Show it to one person only, in a place that they are in; it cannot be repainted."""
        ...

    async def direct(self, member: Member, content: Content) -> Posted | Trouble:
        """Send it to one person."""
        ...

    async def open_modal(self, trigger: str, modal: Modal) -> Opened | Trouble:
        """Open a modal; `trigger` lives for three seconds."""
        ...

    async def update_modal(self, view: ViewRef, modal: Modal) -> Opened | Trouble:
        """Replace an open modal's content."""
        ...

    async def publish_home(self, member: Member, home: Home) -> Done | Trouble:
        """Show a person's own queue on our home tab."""
        ...

    async def respond(self, address: str, content: Content, replacing: Replacing) -> Done | Trouble:
        """Answer a click at the address that came with it: at most five times within thirty minutes."""
        ...

    async def profile(self, member: Member) -> MemberProfile | Trouble:
        """Look a person up."""
        ...

    async def find_place(self, place: Place) -> Done | Trouble:
        """Whether the place is there and we may write to it."""
        ...

    async def close(self) -> None:
        """Let go of its connections."""
        ...

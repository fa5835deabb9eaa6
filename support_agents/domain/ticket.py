"""Tickets and messages as the outside world tells them and as a run reads them."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from support_agents.domain.approval import RejectedDraft
from support_agents.domain.ids import ActionId, TicketId, WorkspaceId


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    SYSTEM = "system"


class EventKind(StrEnum):
    """What a helpdesk tells us happened."""

    MESSAGE_CREATED = "message.created"
    TICKET_SOLVED = "ticket.solved"
    TICKET_CLOSED = "ticket.closed"
    TICKET_MERGED = "ticket.merged"
    REQUESTER_CHANGED = "requester.changed"


class Channel(StrEnum):
    """How the customer wrote."""

    EMAIL = "email"
    CHAT = "chat"
    WEB = "web"
    OTHER = "other"


class Requester(BaseModel):
    """Whose ticket it is; `verified` only when the signed payload says so."""

    model_config = ConfigDict(frozen=True)

    email: str = Field(max_length=320)
    name: str = Field(default="", max_length=200)
    verified: bool = False


class AttachmentOutcome(StrEnum):
    """What became of reading an attachment: its text, or why there is none."""

    READ = "read"
    PICTURE = "picture"  # not looked at: nothing here sees
    OTHER_KIND = "other_kind"
    REFUSED = "refused"  # an address that may not be asked
    UNREACHABLE = "unreachable"
    NOT_GIVEN = "not_given"  # the server answered, but not with the file; a redirect counts as that
    TOO_LARGE = "too_large"
    MISMATCHED = "mismatched"  # the bytes are not what the name says
    LOCKED = "locked"  # by a password
    TOO_COSTLY = "too_costly"
    EMPTY = "empty"
    BROKEN = "broken"


class AttachedText(BaseModel):
    """The text of an attachment, as a run reads it; data from outside like the message itself."""

    model_config = ConfigDict(frozen=True)

    filename: str = Field(max_length=300)
    text: str
    tainted: bool = Field(default=False, description="somewhere in the file a sentence tries to instruct software")


class Attachment(BaseModel):
    """A file named by a message; its bytes are never fetched by the pipeline."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(max_length=200)
    filename: str = Field(max_length=300)
    content_type: str = Field(default="application/octet-stream", max_length=200)
    size: int = Field(default=0, ge=0)
    url: str = Field(default="", max_length=2_000)


class Message(BaseModel):
    """One message of a conversation; `external_id` is the helpdesk's."""

    model_config = ConfigDict(frozen=True)

    external_id: str = Field(max_length=200)
    text: str
    html: str | None = None
    author: Author
    public: bool = True
    created_at: AwareDatetime
    attachments: tuple[Attachment, ...] = ()


class TicketFacts(BaseModel):
    """What a signed event says of its ticket; `revision` is the sender's and only drops older events."""

    model_config = ConfigDict(frozen=True)

    external_id: str = Field(min_length=1, max_length=200)
    subject: str = Field(default="", max_length=500)
    requester: Requester
    channel: Channel = Channel.OTHER
    order_id: str | None = Field(default=None, max_length=100)
    revision: int | None = None


class Bounced(BaseModel):
    """A machine's word that the letter of one of our actions was not delivered."""

    model_config = ConfigDict(frozen=True)

    action: ActionId
    status: str = Field(default="", max_length=20, description="enhanced status code, such as 5.1.1")


class InboundMessage(BaseModel):
    """A verified, parsed event; `event_key` comes from signed content and makes it unique in the inbox."""

    model_config = ConfigDict(frozen=True)

    workspace: WorkspaceId
    source: str
    kind: EventKind
    event_key: str = Field(max_length=300)
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    ticket: TicketFacts
    message: Message | None = None
    automatic: bool = Field(default=False, description="an auto-reply or bulk mail: stored, starts no run")
    marker: str | None = Field(default=None, description="our own marker found in the message: our echo")
    by_api_user: bool = Field(
        default=False,
        description="written under our helpdesk API user: our echo while an attempt on its ticket executes",
    )
    bounced: Bounced | None = None


class TicketSnapshot(BaseModel):
    """A ticket at one revision, as a run reads it; messages are in order of time, public ones only."""

    model_config = ConfigDict(frozen=True)

    workspace: WorkspaceId
    id: TicketId
    source: str
    external_id: str
    revision: int
    subject: str
    requester: Requester
    channel: Channel
    order_id: str | None
    messages: tuple[Message, ...]
    received_at: datetime = Field(description="first byte of the event that the run answers")
    attached: tuple[AttachedText, ...] = Field(
        default=(),
        description="text of the newest files, as far as it has been read; without files it is not asked for",
    )
    rejected: tuple[RejectedDraft, ...] = Field(
        default=(), description="drafts of this revision that people rejected; not empty in a run that drafts again"
    )

    @property
    def last_from_customer(self) -> Message:
        """The newest message that the customer wrote; a run is only started when there is one."""
        return next(m for m in reversed(self.messages) if m.author is Author.CUSTOMER)

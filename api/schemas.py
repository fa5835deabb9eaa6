"""Bodies of the REST API: what programs may rely on; it repeats no rule, only shapes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from api.editing import LONGEST
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus, Role
from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.money import Money
from support_agents.domain.runs import Outcome, RunRecord, StageTiming
from support_agents.domain.sections import Check
from support_agents.domain.ticket import Attachment, Author, Channel, EventKind, Requester


class Body(BaseModel):
    """Base of every body; unknown members of requests are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(BaseModel):
    """An RFC 9457 problem document; programs go by `code`."""

    type: str = Field(examples=["urn:support-agents:problem:digest_mismatch"])
    title: str
    status: int
    detail: str
    code: str


class Acknowledged(Body):
    """A stored event; `ticket_id` is null when its shape is unknown to us (it is kept and shown to people)."""

    ticket_id: UUID | None
    duplicate: bool


class Recorded(Body):
    """A provider's event that is on record."""

    duplicate: bool


class SignIn(Body):
    """An operator's credentials."""

    email: Annotated[str, Field(max_length=320)]
    password: SecretStr


class FactorCode(Body):
    """A code of the authenticator app, or a recovery code."""

    code: Annotated[SecretStr, Field(max_length=40)]


class SessionBody(Body):
    """Who is signed in; send `csrf` back as X-CSRF-Token with everything that changes something."""

    email: str
    name: str
    role: Role
    csrf: str


class DecisionRequest(Body):
    """A person's answer to exactly these bytes."""

    decision: DecisionVerdict
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="as shown with the request")]
    reason: Annotated[str, Field(max_length=2_000)] = ""


class DecisionBody(Body):
    """What came of the answer; `missing` says who else must approve."""

    request_id: UUID
    status: RequestStatus
    approvals: int
    missing: str
    execution_id: UUID | None
    not_before: datetime | None


class EditRequest(Body):
    """A person's text in place of the draft."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class EditBody(Body):
    """The request that takes the old one's place, and what the checks said."""

    request_id: UUID
    digest: str
    text: str
    verdict: str
    checks: tuple[Check, ...]


class CancelRequest(Body):
    """Why an approved action is taken back."""

    reason: Annotated[str, Field(max_length=2_000)] = ""


class CorrectionRequest(Body):
    """What a person says the message of a run was about."""

    intent: Annotated[str, Field(min_length=1, max_length=100)]


class CorrectionBody(Body):
    """The label that was kept, beside the model's best guess."""

    run_id: UUID
    guessed: str
    intent: str


class ExecutionBody(Body):
    """Where an execution stands."""

    execution_id: UUID
    status: ExecutionStatus


class AskRequest(Body):
    """A message to try out."""

    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    subject: Annotated[str, Field(max_length=500)] = ""
    email: Annotated[str, Field(max_length=320)] = "customer@example.com"
    name: Annotated[str, Field(max_length=200)] = ""
    verified: bool = False
    channel: Channel = Channel.EMAIL
    order_id: Annotated[str, Field(max_length=100)] | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=100)] = ()


def _worded(query: str) -> str:
    """Refuse a query that everything is as near to as anything else."""
    if not any(map(str.isalnum, query)):
        raise ValueError("holds no word; say what to look for")
    return query


class SearchRequest(Body):
    """A query for the knowledge base: at least one word, or a number."""

    query: Annotated[str, Field(max_length=2_000), AfterValidator(_worded)]
    limit: Annotated[int, Field(ge=1, le=50)] = 5


class SearchBody(Body):
    """What was found, best first."""

    passages: tuple[RetrievedPassage, ...]


class IndexBody(Body):
    """How far the passage index is: of the passages stored now so many are indexed, and so many more are to go.

    `in_step` when none is left and topics and macros have been made of these too; `steps` rises with all that is done
    on the way there, and says nothing else.
    """

    stored: int
    indexed: int
    surplus: int
    in_step: bool
    steps: int


class DecisionShown(Body):
    """An answer on record."""

    verdict: DecisionVerdict
    by: str
    reason: str
    at: datetime


class ExecutionShown(Body):
    """Where the carrying out of an approved request stands."""

    id: UUID
    request_id: UUID
    kind: ActionKind
    status: ExecutionStatus
    generation: int
    not_before: datetime
    reason: str
    receipt: str | None
    finished_at: datetime | None


class ApprovalShown(Body):
    """A request with the exact bytes asked about: SHA-256 of `canonical` (UTF-8) is `digest`."""

    id: UUID
    kind: ActionKind
    status: RequestStatus
    superseded: bool = Field(description="the ticket has moved on since, so it can no longer be decided")
    digest: str
    canonical: str
    ticket_id: UUID
    ticket_subject: str
    ticket_revision: int
    run_id: UUID
    target: str
    way: str
    amount: Money | None
    approvals_needed: int
    managers_needed: int
    created_at: datetime
    expires_at: datetime
    closed_reason: str | None
    supersedes_id: UUID | None
    decisions: tuple[DecisionShown, ...]
    execution: ExecutionShown | None


class ApprovalPage(Body):
    """Requests in order; give `next` back as `cursor` for the following ones."""

    items: tuple[ApprovalShown, ...]
    next: str | None


class RunShown(RunRecord):
    """A run's record with its sums: milliseconds from the webhook's first byte, tokens, millionths of a dollar."""

    total_ms: float
    tokens_in: int
    tokens_out: int
    cost_micro_usd: int


class TicketShown(Body):
    """A ticket as it stands; `outcome` is its last run's."""

    id: UUID
    source: str
    external_id: str
    subject: str
    requester: Requester
    channel: str
    order_id: str | None
    status: str
    revision: int
    changed_at: datetime
    needs_person_reason: str | None
    outcome: Outcome | None


class TicketPage(Body):
    """Tickets in order; give `next` back as `cursor` for the following ones."""

    items: tuple[TicketShown, ...]
    next: str | None


class MessageShown(Body):
    """A message; `ours` marks the echo of what we sent, `automatic` what a machine wrote."""

    external_id: str
    author: Author
    public: bool
    text: str
    attachments: tuple[Attachment, ...]
    created_at: datetime
    received_at: datetime
    automatic: bool
    ours: bool
    revision: int


class TimelineEvent(Body):
    """An event without a message."""

    kind: EventKind
    received_at: datetime


class RunOfTicket(Body):
    """A run in short; the whole record is at `/v1/runs/{id}`."""

    id: UUID
    parent_run_id: UUID | None
    ticket_revision: int
    outcome: Outcome
    reason: str
    received_at: datetime
    finished_at: datetime
    late: bool
    timings: tuple[StageTiming, ...]


class RequestOfTicket(Body):
    """An approval request in short; the bytes are at `/v1/approvals/{id}`."""

    id: UUID
    kind: ActionKind
    status: RequestStatus
    digest: str
    ticket_revision: int
    created_at: datetime
    closed_at: datetime | None
    closed_reason: str | None
    decisions: tuple[DecisionShown, ...]


class StepShown(Body):
    """A reversible step inside the organisation."""

    id: UUID
    kind: str
    status: str
    created_at: datetime
    error: str | None


class TimelineBody(Body):
    """Everything of one ticket, the newest hundred of each kind, oldest first."""

    ticket: TicketShown
    messages: tuple[MessageShown, ...]
    events: tuple[TimelineEvent, ...]
    running: bool
    runs: tuple[RunOfTicket, ...]
    requests: tuple[RequestOfTicket, ...]
    executions: tuple[ExecutionShown, ...]
    inside_steps: tuple[StepShown, ...]

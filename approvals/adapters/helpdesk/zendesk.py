"""Reads and comments Zendesk tickets over its REST API; it follows no redirect and repeats no request.

Our marker travels in the update's `metadata`, which comes back in the ticket's audits as `metadata.custom` and is
shown to no customer. `safe_update` with `updated_stamp` makes an update conditional: 409 when the ticket has moved on.
Assumed, not documented: audits are read strongly consistent once the call's limit has passed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from approvals.ports import (
    Absent,
    Comment,
    Conflict,
    Found,
    HelpdeskTicket,
    Missing,
    Performed,
    Receipt,
    Refused,
    Unknown,
)

MARKER = "support_agents"
PAGE = 100
MOST_PAGES = 50
T = TypeVar("T", bound=BaseModel)
# Client errors that leave open whether the update was taken.
_NO_ANSWER = {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}
_OPEN = {"new", "open", "pending", "hold"}


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Ticket(_Read):
    status: str
    updated_at: str
    requester_id: int
    email_cc_ids: tuple[int, ...] = ()
    collaborator_ids: tuple[int, ...] = ()
    follower_ids: tuple[int, ...] = ()

    @property
    def copied_ids(self) -> frozenset[int]:
        """Who is sent its public comments besides the requester.

        Accounts without CCs and followers have `collaborator_ids` alone; in those with them it also holds the
        followers, who are our own people.
        """
        older = frozenset(self.collaborator_ids) - frozenset(self.follower_ids)
        return (frozenset(self.email_cc_ids) | older) - {self.requester_id}


class _User(_Read):
    id: int
    email: str | None = None


class _TicketPage(_Read):
    ticket: _Ticket
    users: tuple[_User, ...] = ()


class _Me(_Read):
    user: _User


class _Comment(_Read):
    author_id: int
    public: bool
    created_at: datetime


class _Comments(_Read):
    comments: tuple[_Comment, ...]


class _Audit(_Read):
    id: int
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def marker(self) -> str:
        """Our marker in it, or nothing."""
        custom = self.metadata.get("custom")
        value = custom.get(MARKER) if isinstance(custom, dict) else None
        return value if isinstance(value, str) else ""


class _Meta(_Read):
    has_more: bool = False
    after_cursor: str | None = None


class _Audits(_Read):
    audits: tuple[_Audit, ...]
    meta: _Meta = _Meta()


class _Updated(_Read):
    audit: _Audit


@dataclass(frozen=True)
class ZendeskGateway:
    """`api_user` is the id under which we comment; empty: Zendesk is asked who we are."""

    client: httpx.AsyncClient
    api_user: str = ""
    is_live: bool = True

    @classmethod
    def open(
        cls, base_url: str, *, email: str, token: str, api_user: str = "", is_live: bool = True
    ) -> "ZendeskGateway":
        """Make a gateway with a client of its own; `close` it."""
        client = httpx.AsyncClient(
            base_url=base_url,
            auth=httpx.BasicAuth(f"{email}/token", token),
            timeout=httpx.Timeout(12.0, connect=5.0),
            follow_redirects=False,
        )
        return cls(client, api_user, is_live)

    async def close(self) -> None:
        """Close the client."""
        await self.client.aclose()

    @property
    def live(self) -> bool:
        """Whether real customers read it."""
        return self.is_live

    async def look(self, external_ticket: str) -> HelpdeskTicket | Missing | Unknown:
        """Read state, requester, copied readers and the newest public comment that we did not write."""
        if not _is_id(external_ticket):
            return Missing()
        try:
            page = await self._get(f"/api/v2/tickets/{external_ticket}.json", {"include": "users"}, _TicketPage)
            mine = self.api_user or str((await self._get("/api/v2/users/me.json", {}, _Me)).user.id)
            newest = await self._last_foreign_comment(external_ticket, mine)
        except httpx.HTTPStatusError as error:
            gone = error.response.status_code in {httpx.codes.NOT_FOUND, httpx.codes.GONE}
            return Missing() if gone else Unknown(f"Zendesk answered {error.response.status_code}")
        except (httpx.HTTPError, ValidationError) as error:
            return Unknown(_told(error))
        emails = {user.id: user.email for user in page.users if user.email}
        return HelpdeskTicket(
            stamp=page.ticket.updated_at,
            requester_email=emails.get(page.ticket.requester_id, ""),
            open=page.ticket.status in _OPEN,
            last_foreign_comment_at=newest,
            copied=frozenset(emails.get(each, f"user {each}") for each in page.ticket.copied_ids if str(each) != mine),
        )

    async def comment(self, comment: Comment) -> Performed:
        """Write it in one update; only an answer in so many words counts as yes or no."""
        if not _is_id(comment.external_ticket):
            return Refused("bad_ticket", "this is not a Zendesk ticket's id")
        ticket: dict[str, Any] = {
            "comment": {"html_body": comment.html, "public": comment.public},
            "metadata": {MARKER: comment.marker},
        }
        if comment.stamp is not None:
            ticket |= {"safe_update": True, "updated_stamp": comment.stamp}
        try:
            response = await self.client.put(f"/api/v2/tickets/{comment.external_ticket}.json", json={"ticket": ticket})
            return _performed(response)
        except (httpx.HTTPError, ValidationError) as error:
            return Unknown(_told(error))

    async def find(self, external_ticket: str, marker: str) -> Found:
        """Read all audits of the ticket."""
        if not _is_id(external_ticket):
            return Absent()
        cursor: dict[str, str] = {}
        try:
            for _ in range(MOST_PAGES):
                page = await self._get(
                    f"/api/v2/tickets/{external_ticket}/audits.json", {"page[size]": str(PAGE), **cursor}, _Audits
                )
                found = next((audit for audit in page.audits if audit.marker.startswith(marker)), None)
                if found is not None:
                    return Receipt(str(found.id))
                if not page.meta.has_more:
                    return Absent()
                if page.meta.after_cursor is None:
                    return Unknown("the ticket's history could not be read whole")
                cursor = {"page[after]": page.meta.after_cursor}
        except (httpx.HTTPError, ValidationError) as error:
            return Unknown(_told(error))
        return Unknown("the ticket's history is too long to be read whole")

    async def _last_foreign_comment(self, external_ticket: str, mine: str) -> datetime | None:
        query = {"sort_order": "desc", "per_page": str(PAGE)}
        page = await self._get(f"/api/v2/tickets/{external_ticket}/comments.json", query, _Comments)
        foreign = [c.created_at for c in page.comments if c.public and str(c.author_id) != mine]
        return max(foreign, default=None)

    async def _get(self, path: str, query: dict[str, str], shape: type[T]) -> T:
        response = await self.client.get(path, params=query)
        response.raise_for_status()
        return shape.model_validate_json(response.content)


def _performed(response: httpx.Response) -> Performed:
    status = response.status_code
    if status == httpx.codes.OK:
        return Receipt(str(_Updated.model_validate_json(response.content).audit.id))
    if status == httpx.codes.CONFLICT:
        return Conflict("the ticket was updated in Zendesk at the same time")
    if response.is_success or response.is_server_error or status in _NO_ANSWER:
        return Unknown(f"Zendesk answered {status}")
    return Refused(f"zendesk_{status}", f"Zendesk refused the comment ({status})")


def _is_id(external_ticket: str) -> bool:
    return external_ticket.isascii() and external_ticket.isdigit()


def _told(error: Exception) -> str:
    """What went wrong, without anything of the answer's content."""
    return f"Zendesk could not be asked: {type(error).__name__}"

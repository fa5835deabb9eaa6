"""Delivers the shop's messages as a helpdesk would: signed Standard Webhooks over HTTP on loopback."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx

from api.demo.shop import ShopMessage
from api.intake.standard import sign
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import TicketId, new_id

PATH = "/webhooks/standard"


@dataclass(frozen=True)
class Delivered:
    """The server's acknowledgement."""

    ticket: TicketId
    duplicate: bool


@dataclass(frozen=True)
class Sender:
    """Signs and posts; every delivery has an id of its own, as with a real sender's retries."""

    http: httpx.AsyncClient
    secret: str

    async def deliver(self, message: ShopMessage) -> Delivered:
        """Post one message; anything but an acknowledgement is an error."""
        now = datetime.now(UTC)
        body = message.body(now)
        headers = sign(self.secret, message_id=f"msg_{new_id().hex}", at=now, body=body)
        response = await self.http.post(PATH, content=body, headers={**headers, "Content-Type": "application/json"})
        if response.status_code != httpx.codes.ACCEPTED or response.json()["ticket_id"] is None:
            text = f"ticket {message.ticket} was not taken: {response.status_code} {response.text[:200]}"
            raise SupportError("demo_webhook", text)
        answer = response.json()
        return Delivered(TicketId(UUID(answer["ticket_id"])), bool(answer["duplicate"]))

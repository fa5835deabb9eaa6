"""Carries out replies as e-mail, at most once: a marker is committed right before the point of no return."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

from approvals.attachments import Shelf
from approvals.canonical import Attached, CanonicalAction, CanonicalReply
from approvals.executors.protocol import Call, CannotBeAsked, Changed, Past, World, mismatch_of_live, require_kind
from approvals.ports import Absent, Letter, MailTransport, Performed, Refused
from approvals.rendering import is_addr_spec
from support_agents.domain.errors import SupportError
from support_agents.domain.ticket import Requester

HEADERS = frozenset({"Message-ID", "Date", "In-Reply-To", "References", "Auto-Submitted", "X-Auto-Response-Suppress"})


@dataclass(frozen=True)
class EmailExecutor:
    """The letter is a function of the canonical bytes alone."""

    transport: MailTransport
    call_limit: timedelta = timedelta(seconds=60)
    shelf: Shelf = field(default_factory=Shelf)

    async def look(self, action: CanonicalAction, requester: Requester) -> World | Changed:
        """The recipient must still be the ticket's requester; there is nobody else to ask."""
        reply = require_kind(action, CanonicalReply)
        mismatch = mismatch_of_live(action, live=self.transport.live)
        if mismatch is not None:
            return mismatch
        if reply.to != (requester.email,):
            return Changed("the ticket has another requester now")
        if reply.dkim != self.transport.dkim:
            return Changed("it was approved under another signature of the letter")
        return World(version="")

    async def perform(self, action: CanonicalAction, call: Call) -> Performed:
        """Send once; `call.mark` is awaited right before DATA."""
        reply = require_kind(action, CanonicalReply)
        try:
            files = [(each, await asyncio.to_thread(self.shelf.read, each)) for each in reply.attachments]
            letter = letter_of(reply, files)
        except (SupportError, ValueError) as error:
            return Refused("not_sendable", f"the letter cannot be written: {error}")
        return await self.transport.send(letter, before_data=call.mark)

    async def find(self, action: CanonicalAction, past: Past) -> Absent | CannotBeAsked:
        """Without a marker nothing was sent; with one, or after a restore, only a person can tell."""
        require_kind(action, CanonicalReply)
        if past.restored:
            return CannotBeAsked("the database was restored: look in the mailbox whether it was sent")
        if past.marked:
            return CannotBeAsked("the mail server had been told to take it: look in the mailbox whether it was sent")
        return Absent()


def letter_of(reply: CanonicalReply, files: Sequence[tuple[Attached, bytes]] = ()) -> Letter:
    """Write the letter: same canonical bytes, same letter. Refuses anything but bare addresses and clean headers."""
    for address in (reply.sender, *reply.to, *reply.cc):
        if not is_addr_spec(address):
            raise SupportError("bad_address", "an address is not exactly one addr-spec")
    message = EmailMessage(policy=SMTP)
    for name, value in _headers(reply):
        message[name] = value
        if message[name] != value:  # an encoded word would be read as something that nobody was shown
            raise SupportError("bad_header", "a header that would not be read as it was approved")
    message.set_content(reply.text, cte="quoted-printable")
    message.add_alternative(reply.html, subtype="html", cte="quoted-printable")
    for file, content in files:
        maintype, _, subtype = file.content_type.partition("/")
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=file.filename)
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{number}_{reply.action.hex}")
    return Letter(sender=reply.sender, recipients=reply.to + reply.cc, content=message.as_bytes())


def _headers(reply: CanonicalReply) -> Iterator[tuple[str, str]]:
    yield "From", reply.sender
    yield "To", ", ".join(reply.to)
    if reply.cc:
        yield "Cc", ", ".join(reply.cc)
    yield "Subject", reply.subject
    for name, value in reply.headers:
        if name not in HEADERS:
            raise SupportError("bad_header", "a header that a reply never has")
        yield name, value

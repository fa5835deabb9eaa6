"""Editing from a team messenger: the text, its checks before anybody approves it, and words that something overtook."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.card import Card
from approvals.card_reading import CardReader
from approvals.desk import mine
from approvals.fuller import FullerDraft, FullerDrafts
from approvals.interactions import About
from approvals.modals import LONGEST_REPLY, Alternative
from approvals.ports import Person
from db.engine import Database
from db.repositories.approvals import ApprovalRequest
from db.repositories.reviewing import Unsent
from db.uow import UnitOfWork
from support_agents.domain.approval import RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId, TicketId

# What an edit can be overtaken by: its words are then kept.
_OVERTAKEN = frozenset({"superseded", "stale", "already_decided", "expired", "digest_mismatch"})


class Replaced(Protocol):
    """What became of an edit."""

    @property
    def request_id(self) -> RequestId:
        """The request in the old one's place."""
        ...

    @property
    def digest(self) -> str:
        """Its bytes."""
        ...


class Editor(Protocol):
    """Checks a person's text as the run's own draft was checked, and puts it in the request's place."""

    async def edit(self, request_id: RequestId, *, text: str, digest: str | None, person: Person) -> Replaced:
        """Replace the text of the request with this digest; raise when it is no longer the one to be decided."""
        ...

    async def alternatives(self, request_id: RequestId) -> dict[Alternative, str]:
        """Texts that can be had by one tap, only those that differ from the present one."""
        ...


@dataclass(frozen=True)
class Editable:
    """A reply as it can be edited now; `note` says what else the person should know."""

    about: About
    text: str
    alternatives: Sequence[Alternative]
    note: str = ""


@dataclass(frozen=True)
class Overtaken:
    """The edit came too late, and why; its words are kept. `newer` is the request to use them for, if there is one."""

    why: SupportError
    newer: About | None


@dataclass(frozen=True)
class DeskEdits:
    """Nothing is approved here: an edit makes a new request, with a digest of its own."""

    database: Database
    cards: CardReader
    editor: Editor
    fuller: FullerDrafts

    async def begin(self, person: Person, about: About) -> Editable:
        """Return the text to edit: the reply's, or what this person had typed for the ticket and could not use."""
        async with self.database.read() as uow:
            request = await mine(uow, person.workspace, about.request_id)
            _require_pending(request, about)
            reply = _reply(request)
            unsent = await uow.reviewing.unsent(person.operator_id, request.ticket_id)
        found = await self.editor.alternatives(request.id)
        offered = (*(each for each in found if each is not Alternative.PASS_ON), Alternative.PASS_ON)
        if unsent is not None and unsent.request != request.id and unsent.text != reply.text:
            note = "This is what you had typed; it was overtaken before you could use it."
            return Editable(about, unsent.text, offered, note)
        return Editable(about, reply.text, offered)

    async def save(self, person: Person, about: About, text: str) -> Card | Overtaken:
        """Check the text and put it in the request's place; the returned card shows what the checks said."""
        words = text.replace("\r\n", "\n").strip()
        if not words:
            raise SupportError("invalid", "the reply is empty")
        if len(words) > LONGEST_REPLY:
            raise SupportError("invalid", f"the reply is longer than {LONGEST_REPLY} characters")
        try:
            replaced = await self.editor.edit(about.request_id, text=words, digest=about.digest, person=person)
        except SupportError as error:
            if error.code not in _OVERTAKEN:
                raise
            return await self._keep(person, about, words, error)
        return await self._card(replaced.request_id)

    async def take(self, person: Person, about: About, which: Alternative) -> Card | Overtaken:
        """Put an alternative in the reply's place."""
        if which is Alternative.FULLER:
            return await self._card(await self.fuller.take(person, about.request_id, digest=about.digest))
        text = (await self.editor.alternatives(about.request_id)).get(which)
        if text is None:
            raise SupportError("not_found", "there is no such alternative for this reply")
        return await self.save(person, about, text)

    async def look(self, person: Person, about: About) -> FullerDraft:
        """Return the draft that was written whole, beside the one that is up for approval."""
        return await self.fuller.look(person, about.request_id, digest=about.digest)

    async def _keep(self, person: Person, about: About, words: str, why: SupportError) -> Overtaken:
        async with self.database.write("keep_unsent") as uow:
            request = await mine(uow, person.workspace, about.request_id)
            kept = Unsent(request.id, words)
            await uow.reviewing.keep_unsent(person.workspace, person.operator_id, request.ticket_id, kept)
            return Overtaken(why, await _newer(uow, request.ticket_id, request))

    async def _card(self, request_id: RequestId) -> Card:
        async with self.database.read() as uow:
            card = await self.cards.read(uow, request_id)
        if card is None:
            raise SupportError("not_found", "the new request is gone already")
        return card


async def _newer(uow: UnitOfWork, ticket: TicketId, old: ApprovalRequest) -> About | None:
    """The pending request that stands in the old one's place."""
    same = [
        request
        for request in await uow.approvals.open_on(ticket)
        if (request.kind, request.target, request.status) == (old.kind, old.target, RequestStatus.PENDING)
        and request.id != old.id
    ]
    return About(same[-1].id, same[-1].digest) if same else None


def _require_pending(request: ApprovalRequest, about: About) -> None:
    if request.status is not RequestStatus.PENDING or request.digest != about.digest:
        raise SupportError("superseded", "this version is no longer up for approval; look at the card again")


def _reply(request: ApprovalRequest) -> CanonicalReply:
    action = unseal(Sealed(request.canonical, request.digest))
    if not isinstance(action, CanonicalReply):
        raise SupportError("not_editable", "money and recipients cannot be edited")
    return action

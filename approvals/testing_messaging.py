"""A messenger in memory with the faults of a real one: it throttles, goes away, forgets; it opens no socket."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from approvals.card import Home
from approvals.messaging import (
    Connection,
    Content,
    Done,
    Gone,
    Member,
    MemberProfile,
    MessageRef,
    Opened,
    Place,
    Posted,
    Replacing,
    Trouble,
    Unreachable,
    ViewRef,
)
from approvals.modals import Modal
from approvals.ports import Refused

USES_OF_AN_ADDRESS = 5
SCOPES = frozenset({"chat:write", "im:write", "users:read", "commands"})


@dataclass
class Shown:
    """One message and everything it has shown so far."""

    ref: MessageRef
    contents: list[Content] = field(default_factory=list)

    @property
    def now(self) -> Content:
        """What it shows."""
        return self.contents[-1]


@dataclass
class FakeMessenger:
    """`coming` answers the next calls in their place; `down` answers all of them; a message deleted is gone."""

    coming: list[Trouble | None] = field(default_factory=list)
    down: bool = False
    places: set[str] | None = None
    messages: dict[MessageRef, Shown] = field(default_factory=dict)
    whispers: list[tuple[Place, Member, Content]] = field(default_factory=list)
    modals: dict[str, list[Modal]] = field(default_factory=dict)
    homes: dict[Member, Home] = field(default_factory=dict)
    triggers: set[str] = field(default_factory=set)
    addresses: dict[str, int] = field(default_factory=dict)
    answers: list[tuple[str, Content, Replacing]] = field(default_factory=list)
    profiles: dict[Member, MemberProfile] = field(default_factory=dict)
    calls: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def connection(self) -> Connection | Trouble:
        """Say who we are."""
        return self._trouble() or Connection(team="T1", team_name="Shop", user="U0", scopes=SCOPES)

    async def post(self, place: Place, content: Content) -> Posted | Trouble:
        """Keep a new message."""
        if trouble := self._trouble():
            return trouble
        if self.places is not None and place.id not in self.places:
            return _no_place(place)
        shown = Shown(MessageRef(place, f"{next(self._numbers)}.0001"), [content])
        self.messages[shown.ref] = shown
        return Posted(shown.ref)

    def pause(self, ref: MessageRef) -> float:  # noqa: ARG002 - interface
        """It takes any number at once."""
        return 0.0

    async def update(self, ref: MessageRef, content: Content) -> Posted | Trouble:
        """Repaint one."""
        if trouble := self._trouble():
            return trouble
        if ref not in self.messages:
            return Gone("message_not_found")
        self.messages[ref].contents.append(content)
        return Posted(ref)

    async def whisper(self, place: Place, member: Member, content: Content) -> Done | Trouble:
        """Note it."""
        if trouble := self._trouble():
            return trouble
        self.whispers.append((place, member, content))
        return Done()

    async def direct(self, member: Member, content: Content) -> Posted | Trouble:
        """Post into the conversation with that person."""
        return await self.post(self.conversation(member), content)

    async def open_modal(self, trigger: str, modal: Modal) -> Opened | Trouble:
        """Open one for a trigger that lives; it works once."""
        if trouble := self._trouble():
            return trouble
        if trigger not in self.triggers:
            return Gone("expired_trigger_id")
        self.triggers.discard(trigger)
        view = f"V{next(self._numbers)}"
        self.modals[view] = [modal]
        return Opened(ViewRef(view, "1"))

    async def update_modal(self, view: ViewRef, modal: Modal) -> Opened | Trouble:
        """Replace what an open one shows; an old hash is refused."""
        if trouble := self._trouble():
            return trouble
        shown = self.modals.get(view.id)
        if shown is None or (view.hash and view.hash != str(len(shown))):
            return Gone("not_found" if shown is None else "hash_conflict")
        shown.append(modal)
        return Opened(ViewRef(view.id, str(len(shown))))

    async def publish_home(self, member: Member, home: Home) -> Done | Trouble:
        """Keep the newest."""
        if trouble := self._trouble():
            return trouble
        self.homes[member] = home
        return Done()

    async def respond(self, address: str, content: Content, replacing: Replacing) -> Done | Trouble:
        """Answer, at most five times at one address."""
        if trouble := self._trouble():
            return trouble
        used = self.addresses.get(address, 0)
        if used >= USES_OF_AN_ADDRESS:
            return Gone("used_url")
        self.addresses[address] = used + 1
        self.answers.append((address, content, replacing))
        return Done()

    async def profile(self, member: Member) -> MemberProfile | Trouble:
        """Look up."""
        found = self.profiles.get(member)
        return self._trouble() or found or Refused("user_not_found", "no such person there")

    async def find_place(self, place: Place) -> Done | Trouble:
        """Whether it is one of `places`."""
        if trouble := self._trouble():
            return trouble
        return Done() if self.places is None or place.id in self.places else _no_place(place)

    async def close(self) -> None:
        """There is nothing to let go of."""

    def conversation(self, member: Member) -> Place:
        """The direct conversation with a person."""
        return Place(f"D-{member.team}-{member.user}")

    def delete(self, ref: MessageRef) -> None:
        """Somebody deletes a message of ours."""
        del self.messages[ref]

    def _trouble(self) -> Trouble | None:
        self.calls += 1
        if self.down:
            return Unreachable("no connection")
        return self.coming.pop(0) if self.coming else None


def _no_place(place: Place) -> Refused:
    return Refused("channel_not_found", f"no channel {place.id}: invite the app to it")

"""How a person in Slack is answered: where they clicked, in their open form, or directly; it decides nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from approvals.card import Card, DecisionNotice, Home, Notice
from approvals.interactions import Answer, Interaction
from approvals.messaging import Content, Done, Member, Messenger, Opened, Place, Posted, Replacing, Trouble, ViewRef
from approvals.modals import Modal, NoticeModal
from db.engine import Database
from db.repositories.slack import SlackAccount
from support_agents.domain.errors import SupportError


def member_of(account: SlackAccount) -> Member:
    """The account as the messenger knows it."""
    return Member(account.team, account.user, account.enterprise)


def notice(*lines: str, console_url: str = "") -> Notice:
    """A few plain lines, each a sentence."""
    return Notice(lines=tuple(_sentence(line) for line in lines), console_url=console_url)


def _sentence(line: str) -> str:
    """Begin with a capital, unless it begins with somebody's address."""
    return line if "@" in line.partition(" ")[0] else line[:1].upper() + line[1:]


@dataclass(frozen=True)
class Answers:
    """Shows things to the one who clicked. What Slack does not take is raised, for the log: nothing depends on it."""

    database: Database
    messenger: Messenger
    draw: Callable[[Modal], Mapping[str, Any]]

    async def show(self, told: Interaction, content: Content, replacing: Replacing = Replacing.NOTHING) -> None:
        """Show it to the one who clicked, where they clicked if that can be done."""
        if told.where.answer_to:
            taken(await self.messenger.respond(told.where.answer_to, content, replacing))
        else:
            taken(await self.messenger.direct(member_of(told.who.account), content))

    async def tell(self, told: Interaction, lines: Notice) -> None:
        """Say a few lines: in the form that is open, or where the click was."""
        if told.where.view and not told.where.answer_to and told.where.view_hash:
            await self.fill(told, NoticeModal(title="Support", lines=lines.lines, console_url=lines.console_url))
        else:
            await self.show(told, lines)

    async def open(self, told: Interaction, modal: Modal) -> ViewRef:
        """Open a form while the click's trigger lives."""
        opened = await self.messenger.open_modal(told.where.trigger, modal)
        if isinstance(opened, Opened):
            return opened.view
        raise troubled(opened)

    async def fill(self, told: Interaction, modal: Modal) -> None:
        """Replace what the open form shows."""
        taken(await self.messenger.update_modal(ViewRef(told.where.view, told.where.view_hash), modal))

    async def refill(self, view: ViewRef, modal: Modal) -> None:
        """Fill a form that was opened as a skeleton."""
        taken(await self.messenger.update_modal(view, modal))

    async def direct_card(self, told: Interaction, card: Card) -> None:
        """Send a card as a message of its own, which from then on is repainted like any other."""
        posted = await self.messenger.direct(member_of(told.who.account), card)
        if not isinstance(posted, Posted):
            raise troubled(posted)
        async with self.database.write("card_shown") as uow:
            await uow.posted_cards.show(
                card.workspace, card.request_id, place=posted.ref.place.id, ref=posted.ref.id,
                fingerprint=card.fingerprint, at=await uow.now(),
            )  # fmt: skip

    async def post(self, channel: str, lines: Notice) -> None:
        """Say a few lines in a channel."""
        taken(await self.messenger.post(Place(channel), lines))

    async def notify(self, account: SlackAccount, told: DecisionNotice) -> None:
        """Tell the owner of an account what was decided through it."""
        taken(await self.messenger.direct(member_of(account), told))

    async def home(self, account: SlackAccount, home: Home) -> None:
        """Show a person their own queue."""
        taken(await self.messenger.publish_home(member_of(account), home))

    def updated(self, modal: Modal) -> Answer:
        """Answer a submitted form with another."""
        return Answer({"response_action": "update", "view": self.draw(modal)})


def taken(outcome: Posted | Done | Opened | Trouble) -> None:
    """Raise when the messenger did not take it."""
    if not isinstance(outcome, Posted | Done | Opened):
        raise troubled(outcome)


def troubled(trouble: object) -> SupportError:
    """Name the kind of trouble; its words are Slack's."""
    return SupportError("messenger", f"Slack did not take it: {type(trouble).__name__.lower()}", retryable=True)

"""What a click in Slack does: the decision first, then the acknowledgement, then what is shown; it reads no payload."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from approvals.adapters.slack.answers import Answers, notice
from approvals.adapters.slack.naming import INTENT_BLOCK, REASON_BLOCK
from approvals.batches import Batches, RowResult
from approvals.card import Card, DecisionNotice, Notice
from approvals.corrections import DeskCorrections
from approvals.desk import Desk, Seen
from approvals.desk_edits import DeskEdits, Overtaken
from approvals.desk_queue import DeskQueue
from approvals.interactions import (
    About,
    Answer,
    Approve,
    ApproveSheet,
    Correct,
    CorrectSubmitted,
    Edit,
    EditSubmitted,
    Foreign,
    Help,
    HomeOpened,
    Interaction,
    Later,
    LinkAccount,
    More,
    Next,
    NotMe,
    Open,
    PassOnSubmitted,
    Redraft,
    Refused,
    Reject,
    RejectSubmitted,
    ShowFuller,
    ShowSheet,
    TakeAlternative,
    Told,
    Undo,
    UnlinkAccount,
    Verification,
)
from approvals.linking import Linking
from approvals.messaging import Replacing
from approvals.messenger_routing import Group
from approvals.modals import (
    Alternative,
    CheckedModal,
    CorrectModal,
    EditModal,
    FullerModal,
    LoadingModal,
    Modal,
    MoreModal,
    NoticeModal,
    PassOnModal,
    RejectModal,
)
from approvals.ports import Person
from approvals.queue import Decided
from approvals.redrafting import Redrafting
from approvals.wording import words
from db.models.slack import LinkEnd
from support_agents.domain.approval import RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

HELP = (
    "`/support next` shows you the next request, `/support batch` replies that can be approved together.",
    "`/support link CODE` links this account with a code from the console; `/support unlink` ends that.",
)
FOREIGN = "this belongs to another installation on the same Slack app: nothing was done here"
_NOTHING = "nothing waits for you"
_FORMS = RejectSubmitted | EditSubmitted | PassOnSubmitted | CorrectSubmitted


@dataclass(frozen=True)
class Clicks:
    """The one path of both transports. Whatever is decided is committed before the answer returns."""

    workspace: WorkspaceId
    linking: Linking
    desk: Desk
    queue: DeskQueue
    edits: DeskEdits
    batches: Batches
    redrafting: Redrafting
    corrections: DeskCorrections
    answers: Answers
    console_url: str = ""
    groups: tuple[Group, ...] = ()

    async def take(self, told: Told, *, waited: timedelta = timedelta()) -> Answer:
        """Do what was asked and return the acknowledgement; a refusal is told to the person, never raised."""
        if isinstance(told, Verification):
            return Answer({"challenge": told.challenge})
        if not isinstance(told, Interaction):
            return Answer()
        told = replace(told, where=replace(told.where, waited=waited))
        try:
            return await self._taken(told)
        except SupportError as error:
            if error.retryable and not isinstance(told, _FORMS):
                raise
            return self._refusal(told, error)

    async def _taken(self, told: Interaction) -> Answer:
        match told:
            case Foreign():
                return self._said(told, FOREIGN)
            case Refused():
                raise SupportError(told.code, told.message)
            case Help():
                return self._said(told, *HELP)
        if told.who.foreign:
            raise await self.linking.refuse_foreign(self.workspace, told.who.account)
        if isinstance(told, LinkAccount):
            operator = await self.linking.link(self.workspace, told.who.account, told.code)
            return self._said(told, f"linked: from now on you decide here as {operator.email}")
        person = await self.linking.person(self.workspace, told.who.account)
        return await self._of(told, person)

    async def _of(self, told: Interaction, person: Person) -> Answer:  # noqa: PLR0911 - one for each kind
        match told:
            case Approve():
                return await self._approve(told, person)
            case RejectSubmitted():
                return await self._reject(told, person)
            case EditSubmitted():
                return self.answers.updated(_result(await self.edits.save(person, told.about, told.text), told.text))
            case ApproveSheet():
                return await self._sheet(told, person)
            case PassOnSubmitted():
                return await self._passed_on(told, person)
            case CorrectSubmitted():
                return await self._corrected(told, person)
            case Undo() | NotMe() | UnlinkAccount():
                return self._said(told, *await self._taken_back(told, person))
            case _:
                return Answer(later=(partial(self._shown, told, person),))

    async def _taken_back(self, told: Undo | NotMe | UnlinkAccount, person: Person) -> tuple[str, ...]:
        if isinstance(told, Undo):
            await self.desk.undo(person, told.about.request_id)
            return ("taken back: nothing leaves, and the ticket is with people again",)
        if isinstance(told, UnlinkAccount):
            await self.linking.end(person, LinkEnd.UNLINKED)
            return ("unlinked: this account decides nothing any more",)
        disowned = await self.desk.disown(person, told.about)
        late = f"; {disowned.too_late} had left already: tell your admin now" if disowned.too_late else ""
        return (
            f"this Slack account decides nothing any more; {disowned.stopped} actions were stopped{late}",
            "make sure that nobody else is signed in to your Slack, then link it again from the console",
        )

    async def _shown(self, told: Interaction, person: Person) -> None:
        """What only shows something, or is asked for in a form first: after the acknowledgement."""
        try:
            await self._show(told, person)
        except SupportError as error:
            if error.code == "messenger":
                raise
            await self.answers.tell(told, self._refused(error))

    async def _show(self, told: Interaction, person: Person) -> None:
        match told:
            case Next():
                await self._next(told, person, Replacing.NOTHING)
            case Open():
                await self.answers.direct_card(told, await self.queue.open(person, told.request_id))
            case HomeOpened():
                await self.answers.home(told.who.account, await self.queue.home(person))
            case ShowSheet():
                sheet = await self.batches.sheet(person, told.length)
                await self.answers.show(
                    told, sheet or notice("no two replies are alike enough to be approved together")
                )
            case Edit() | ShowFuller():
                await self._opened(told, person)
            case Reject():
                back = told.where.answer_to if told.where.whispered else ""
                modal = RejectModal(title="Reject", answer_to=back, **_named(told.about))
                await self.answers.open(told, modal)
            case More() | Correct():
                await self._behind(told, person)
            case TakeAlternative():
                await self._alternative(told, person)
            case Redraft():
                await self.redrafting.ask(person, told.about.request_id)
                await self.answers.tell(told, notice("a new draft is on its way"))

    async def _approve(self, told: Approve, person: Person) -> Answer:
        decided = await self.desk.approve(person, told.about, _seen(told))
        return Answer(later=(*self._told_owner(told, person, told.about, decided), *self._after(told, person, decided)))

    def _after(self, told: Approve, person: Person, decided: Decided) -> tuple[Later, ...]:
        """The next one in place, for whoever works through the queue; a form says what became of it."""
        if told.where.whispered:
            return (partial(self._next, told, person, Replacing.ORIGINAL),)
        if told.where.view:
            return (partial(self.answers.tell, told, notice(_standing(decided))),)
        return ()

    async def _reject(self, told: RejectSubmitted, person: Person) -> Answer:
        decided = await self.desk.reject(person, told.about, told.reason, told.words)
        again = (partial(self.redrafting.ask, person, told.about.request_id),) if told.redraft else ()
        following = (partial(self._next, told, person, Replacing.ORIGINAL),) if told.where.answer_to else ()
        return Answer(later=(*again, *self._told_owner(told, person, told.about, decided, verb="rejected"), *following))

    async def _sheet(self, told: ApproveSheet, person: Person) -> Answer:
        if not told.ticked:
            raise SupportError("invalid", "tick at least one row")
        await self.batches.require_still(person, told.ticked, self.desk.still + told.where.waited)
        results = await self.batches.approve(person, told.ticked)
        approved = [result for result in results if result.decided is not None]
        later: list[Later] = [partial(self._after_sheet, told, person, results)]
        if approved:
            first = next(about for about in told.ticked if about.request_id == approved[0].request_id)
            line = f"You approved {len(approved)} replies of one template together."
            later.append(partial(self._notify, told, first, approved[0].decided, line))
        return Answer(later=tuple(later))

    async def _after_sheet(self, told: ApproveSheet, person: Person, results: Sequence[RowResult]) -> None:
        """The next sheet in place; after one that left a row, or where there is none, what came of this one."""
        counted = _counted(results)
        whole = len(results) == told.shown and all(result.decided is not None for result in results)
        sheet = await self.batches.sheet(person, told.length) if whole else None
        content = sheet.model_copy(update={"note": counted[0]}) if sheet else notice(*counted)
        await self.answers.show(told, content, Replacing.ORIGINAL)

    async def _opened(self, told: Edit | ShowFuller, person: Person) -> None:
        """A skeleton inside the trigger's life, then the text: to be edited, or whole beside the one that was cut."""
        title = "Edit" if isinstance(told, Edit) else "Fuller draft"
        view = await self.answers.open(told, LoadingModal(title=title, **_named(told.about)))
        modal: Modal
        try:
            if isinstance(told, Edit):
                text = await self.edits.begin(person, told.about)
                alternatives = tuple(text.alternatives)
                modal = EditModal(
                    title=title, text=text.text, alternatives=alternatives, note=text.note, **_named(told.about)
                )
            else:
                whole = await self.edits.look(person, told.about)
                modal = FullerModal(title=title, text=whole.text, findings=whole.findings, **_named(told.about))
        except SupportError as error:
            refused = self._refused(error)
            modal = NoticeModal(title=title, lines=refused.lines, console_url=refused.console_url)
        await self.answers.refill(view, modal)

    async def _passed_on(self, told: PassOnSubmitted, person: Person) -> Answer:
        """Decided before the answer; then the group's channel is told, with the subject and nothing else of it."""
        group = next((each for each in self.groups if each.name == told.group), None)
        if group is None:
            raise SupportError("invalid", "choose one of the groups")
        await self.desk.pass_on(person, told.about, group.name)

        async def tell() -> None:
            line = f"Passed on to {group.name}: {await self.desk.named(person, told.about.request_id)}"
            await self.answers.post(group.channel, notice(line, console_url=self._page(told.about)))

        done = NoticeModal(title="Passed on", lines=(f"The ticket waits for {group.name}.",))
        return replace(self.answers.updated(done), later=(tell,) if group.channel else ())

    async def _behind(self, told: More | Correct, person: Person) -> None:
        """What stands behind a card; and in its place, so that no trigger can run out, what the message was about."""
        if isinstance(told, More):
            card = await self.queue.card(person, told.about.request_id)
            correctable = self.corrections.offered(person, card)
            await self.answers.open(told, MoreModal(title="More", card=card, correctable=correctable))
            return
        choices = await self.corrections.begin(person, told.about)
        page = f"{self.console_url}/console/tickets/{choices.ticket_id}" if self.console_url else ""
        modal = CorrectModal(
            title="What is it about?", intents=choices.intents, present=choices.present, guessed=choices.guessed,
            left=choices.left, console_url=page, **_named(told.about),
        )  # fmt: skip
        await self.answers.fill(told, modal)

    async def _corrected(self, told: CorrectSubmitted, person: Person) -> Answer:
        await self.corrections.keep(person, told.about, told.intent)
        line = f"Kept as an example of: {words(told.intent)}. The reply and its request stay as they are."
        return self.answers.updated(NoticeModal(title="Kept", lines=(line,)))

    async def _alternative(self, told: TakeAlternative, person: Person) -> None:
        if told.which is Alternative.PASS_ON and self.groups:
            names = tuple(group.name for group in self.groups)
            await self.answers.fill(told, PassOnModal(title="Pass on", groups=names, **_named(told.about)))
            return
        if told.which is Alternative.PASS_ON:
            await self.desk.pass_on(person, told.about)
            await self.answers.tell(told, notice("passed on: the ticket waits for the other group"))
            return
        await self.answers.fill(told, _result(await self.edits.take(person, told.about, told.which)))

    async def _next(self, told: Interaction, person: Person, replacing: Replacing) -> None:
        card = await self.queue.next(person)
        await self.answers.show(told, card or notice(_NOTHING), replacing)

    def _told_owner(
        self, told: Interaction, person: Person, about: About, decided: Decided, *, verb: str = "approved"
    ) -> tuple[Later, ...]:
        async def tell() -> None:
            line = f"You {verb}: {await self.desk.named(person, about.request_id)}"
            await self._notify(told, about, decided, line)

        return (tell,)

    async def _notify(self, told: Interaction, about: About, decided: Decided | None, line: str) -> None:
        until = decided.not_before if decided is not None else None
        given = DecisionNotice(line=line, until=until, console_url=self._page(about), **_named(about))
        await self.answers.notify(told.who.account, given)

    def _page(self, about: About) -> str:
        return f"{self.console_url}/console/requests/{about.request_id}" if self.console_url else ""

    def _said(self, told: Interaction, *lines: str) -> Answer:
        return Answer(later=(partial(self.answers.tell, told, notice(*lines)),))

    def _refusal(self, told: Interaction, error: SupportError) -> Answer:
        refused = self._refused(error)
        if isinstance(told, Refused) and told.code == "invalid":
            return Answer({"response_action": "errors", "errors": {REASON_BLOCK: told.message}})
        if isinstance(told, CorrectSubmitted):  # what was chosen stays to be seen, with the reason below it
            return Answer({"response_action": "errors", "errors": {INTENT_BLOCK: refused.lines[0]}})
        if isinstance(told, _FORMS) or (isinstance(told, Refused) and told.where.view):
            modal = NoticeModal(title="Not done", lines=refused.lines, console_url=refused.console_url)
            return self.answers.updated(modal)
        return Answer(later=(partial(self.answers.tell, told, refused),))

    def _refused(self, error: SupportError) -> Notice:
        """What a refusal says; what must be decided in the console comes with the way there."""
        return notice(error.message, console_url=f"{self.console_url}/console" if self.console_url else "")


def _seen(told: Interaction) -> Seen:
    where = told.where
    return Seen(where.channel, where.message, whispered=where.whispered, waited=where.waited)


def _named(about: About) -> dict[str, object]:
    return {"request_id": about.request_id, "digest": about.digest}


def _standing(decided: Decided) -> str:
    if decided.status is RequestStatus.PENDING:
        return f"your approval counts; it still needs {decided.missing}"
    return "approved; it can be taken back until it leaves"


def _result(saved: Card | Overtaken, typed: str = "") -> CheckedModal | NoticeModal:
    """What the checks said of an edit, or who was first and where the words are."""
    if isinstance(saved, Overtaken):
        again = "there is a newer version: choose Edit on it and your words are there" if saved.newer else ""
        lines = notice(*filter(None, (saved.why.message, "your words are kept", again, typed))).lines
        return NoticeModal(title="Overtaken", lines=lines)
    text = saved.letter.text if saved.letter else ""
    return CheckedModal(
        title="Checked", request_id=saved.request_id, digest=saved.digest, text=text, findings=saved.verdict,
        approvable=saved.approvable,
    )  # fmt: skip


def _counted(results: Sequence[RowResult]) -> tuple[str, ...]:
    approved = sum(result.decided is not None for result in results)
    refused = [result for result in results if result.decided is None]
    reasons = tuple(dict.fromkeys(result.why_not for result in refused))
    return (f"{approved} of {len(results)} approved", *(f"not approved: {reason}" for reason in reasons))

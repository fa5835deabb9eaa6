"""Reads what Slack delivers as one of a few typed things; it takes no word from outside for an id, and does nothing."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from approvals.adapters.slack.naming import (
    BACK,
    GROUP_BLOCK,
    INTENT_BLOCK,
    NOTE_BLOCK,
    REASON_BLOCK,
    REDRAFT_BLOCK,
    ROWS_BLOCK,
    TEXT_BLOCK,
    Callback,
    Named,
    Target,
    Verb,
    read_metadata,
    read_name,
    read_value,
)
from approvals.adapters.slack.payloads import (
    Action,
    Challenge,
    Clicked,
    Commanded,
    Enterprise,
    Event,
    Input,
    State,
    Submitted,
    Team,
    User,
)
from approvals.card import SheetLength
from approvals.interactions import (
    About,
    Approve,
    ApproveSheet,
    Correct,
    CorrectSubmitted,
    Edit,
    EditSubmitted,
    Foreign,
    Help,
    HomeOpened,
    Ignored,
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
    Unreadable,
    Verification,
    Where,
    Who,
)
from approvals.modals import Alternative
from db.repositories.slack import SlackAccount
from support_agents.domain.approval import RejectReason
from support_agents.domain.ids import RequestId

LONGEST_REASON = 1_000
_LONGEST_ID = 36
_LONGEST_COUNT = 4

P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True)
class Reader:
    """Reads deliveries for one installation."""

    installation: str
    earlier: Callable[[], Collection[str]] = tuple  # names that it had, and old messages still carry

    def interactivity(self, payload: str | bytes) -> Told:
        """Read the field `payload` of an interactivity request, or the payload of a socket envelope."""
        kind = _kind(payload)
        if kind == "block_actions":
            clicked = _read(Clicked, payload)
            return clicked if isinstance(clicked, Unreadable) else self._clicked(clicked)
        if kind in {"view_submission", "view_closed"}:
            submitted = _read(Submitted, payload)
            return submitted if isinstance(submitted, Unreadable) else self._submitted(submitted)
        return Ignored(f"interactivity of type {kind[:40]}") if kind else Unreadable("not an object with a type")

    def event(self, payload: str | bytes) -> Told:
        """Read a delivery of the Events API."""
        kind = _kind(payload)
        if kind == "url_verification":
            challenge = _read(Challenge, payload)
            return challenge if isinstance(challenge, Unreadable) else Verification(challenge.challenge)
        if kind != "event_callback":
            return Ignored(f"event of type {kind[:40]}") if kind else Unreadable("not an object with a type")
        told = _read(Event, payload)
        if isinstance(told, Unreadable):
            return told
        if told.event.type != "app_home_opened" or told.event.tab != "home" or not told.event.user:
            return Ignored(f"event {told.event.type[:40]}")
        account = SlackAccount(told.team_id, told.event.user, told.enterprise_id or "")
        return HomeOpened(Who(account), Where(), told.event_id)

    @staticmethod
    def event_id(payload: str | bytes) -> str:
        """The id by which Slack repeats an event that was not acknowledged; empty for what has none."""
        told = _read(Event, payload)
        return "" if isinstance(told, Unreadable) else told.event_id

    def command(self, form: Mapping[str, Any]) -> Told:
        """Read a slash command: `next`, `batch`, `batch long`, `link CODE`, `unlink`; anything else asks for help."""
        try:
            given = Commanded.model_validate(dict(form))
        except ValidationError as error:
            return Unreadable(_where(error))
        who = Who(SlackAccount(given.team_id, given.user_id, given.enterprise_id))
        where = Where(channel=given.channel_id, trigger=given.trigger_id, answer_to=given.response_url, whispered=True)
        word, _, rest = given.text.strip().partition(" ")
        match word.lower():
            case "next" | "":
                return Next(who, where)
            case "batch":
                return ShowSheet(who, where, SheetLength.LONG if rest.strip().lower() == "long" else SheetLength.SCREEN)
            case "link":
                return LinkAccount(who, where, rest.strip()[:64])
            case "unlink":
                return UnlinkAccount(who, where)
            case _:
                return Help(who, where)

    def _clicked(self, given: Clicked) -> Told:
        where = Where(
            channel=given.container.channel_id,
            message=given.container.message_ts,
            view=given.view.id if given.view else "",
            view_hash=given.view.hash if given.view else "",
            trigger=given.trigger_id,
            answer_to=given.response_url,
            whispered=given.container.is_ephemeral,
        )
        who = _who(given.team, given.enterprise, given.user)
        action = given.actions[0]
        named = read_name(action.action_id)
        if named is None:
            return Ignored("a button that is not ours")
        if not self._is_ours(named.installation):
            return Foreign(who, where)
        return _meant(who, where, named, action, _state(given))

    def _is_ours(self, name: str) -> bool:
        return name == self.installation or name in self.earlier()

    def _submitted(self, given: Submitted) -> Told:  # noqa: PLR0911 - one for each kind
        named = read_name(given.view.callback_id)
        if named is None or given.type == "view_closed":
            return Ignored("a view that is not ours, or was closed")
        who = _who(given.team, given.enterprise, given.user)
        where = Where(view=given.view.id, view_hash=given.view.hash, trigger=given.trigger_id)
        if not self._is_ours(named.installation):
            return Foreign(who, where)
        metadata = read_metadata(given.view.private_metadata)
        if metadata is None or not self._is_ours(metadata[0]):
            return Refused(who, where, "tampered", "this form is not one of ours; open it again")
        about, where = _about(metadata[1]), replace(where, answer_to=metadata[2].get(BACK, ""))
        match named.name:
            case Callback.EDIT:
                return EditSubmitted(who, where, about, _joined(given.view.state))
            case Callback.REJECT:
                return _rejection(who, where, about, given.view.state)
            case Callback.PASS_ON:
                return PassOnSubmitted(who, where, about, _chosen(given.view.state, GROUP_BLOCK))
            case Callback.CORRECT:
                return CorrectSubmitted(who, where, about, _chosen(given.view.state, INTENT_BLOCK))
            case _:
                return Ignored("a form that asks for nothing")


_SIMPLE: dict[str, type[Approve | Edit | ShowFuller | Reject | More | Correct | Undo | NotMe]] = {
    Verb.APPROVE: Approve,
    Verb.EDIT: Edit,
    Verb.FULLER: ShowFuller,
    Verb.REJECT: Reject,
    Verb.MORE: More,
    Verb.CORRECT: Correct,
    Verb.UNDO: Undo,
    Verb.NOT_ME: NotMe,
}


def _meant(who: Who, where: Where, named: Named, action: Action, state: State) -> Told:
    value = action.selected_option.value if action.selected_option else action.value
    match named.name:
        case Verb.NEXT:
            return Next(who, where)
        case Verb.SHOW:
            request = _request_id(value)
            return Open(who, where, request) if request else _tampered(who, where)
        case Verb.BATCH_APPROVE:
            return _sheet(who, where, value, state)
        case Verb.CONSOLE | Verb.TICK:
            return Ignored("a choice, or a link that the browser follows")
    target = read_value(value)
    return _tampered(who, where) if target is None else _about_request(who, where, named, _about(target))


def _about_request(who: Who, where: Where, named: Named, about: About) -> Told:
    if named.name in _SIMPLE:
        return _SIMPLE[named.name](who, where, about)
    if named.name == Verb.ALTERNATIVE and named.detail in set(Alternative):
        return TakeAlternative(who, where, about, Alternative(named.detail))
    if named.name == Verb.REDRAFT:
        return Redraft(who, where, about)
    return _tampered(who, where)


def _sheet(who: Who, where: Where, value: str, state: State) -> Told:
    """The rows that are ticked: every one of them must be a row of ours, and none twice."""
    chosen = [
        read_value(option.value)
        for block_id, field in _inputs(state)
        if block_id.partition(".")[0] == ROWS_BLOCK
        for option in field.selected_options
    ]
    ticked = [_about(target) for target in chosen if target is not None]
    if len(ticked) != len(chosen) or len({about.request_id for about in ticked}) != len(ticked):
        return _tampered(who, where)
    name, length, shown = [*value.split("."), "", ""][:3]
    kept = SheetLength(length) if length in set(SheetLength) else SheetLength.SCREEN
    rows = int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < _LONGEST_COUNT else 0
    return ApproveSheet(who, where, name[:64], tuple(ticked), rows, kept)


def _rejection(who: Who, where: Where, about: About, state: State) -> Told:
    fields = dict(_inputs(state))
    chosen = fields.get(REASON_BLOCK, Input()).selected_option
    if chosen is None or chosen.value not in set(RejectReason):
        return Refused(who, where, "invalid", "choose a reason")
    words = (fields.get(NOTE_BLOCK, Input()).value or "").strip()[:LONGEST_REASON]
    redraft = bool(fields.get(REDRAFT_BLOCK, Input()).selected_options)
    return RejectSubmitted(who, where, about, RejectReason(chosen.value), words, redraft)


def _chosen(state: State, block: str) -> str:
    """What was chosen in a list; empty for nothing."""
    option = dict(_inputs(state)).get(block, Input()).selected_option
    return option.value if option else ""


def _tampered(who: Who, where: Where) -> Refused:
    return Refused(who, where, "tampered", "this button does not carry what we put in it; look at the card again")


def _joined(state: State) -> str:
    """The reply from its several inputs, in their order, joined without a break as they were cut."""
    parts = {}
    for block_id, field in _inputs(state):
        block, _, place = block_id.partition(".")
        if block == TEXT_BLOCK and place.isdecimal():
            parts[int(place)] = field.value or ""
    return "".join(parts[place] for place in sorted(parts))


def _inputs(state: State) -> Iterator[tuple[str, Input]]:
    """Every input with its block's id; there is one input to a block."""
    return ((block_id, field) for block_id, block in state.values.items() for field in block.values())


def _about(target: Target) -> About:
    return About(target.request_id, target.digest)


def _request_id(value: str) -> RequestId | None:
    """A request alone, or with the digest that was shown."""
    target = read_value(value)
    if target is not None:
        return target.request_id
    try:
        return RequestId(UUID(value)) if len(value) <= _LONGEST_ID else None
    except ValueError:
        return None


def _state(given: Clicked) -> State:
    return (given.view.state if given.view else given.state) or State()


def _who(team: Team | None, enterprise: Enterprise | None, user: User) -> Who:
    """The account, by ids only; someone whose own team is not that of the place is a guest from elsewhere."""
    here = team.id if team else ""
    organisation = enterprise.id if enterprise else (team.enterprise_id or "") if team else ""
    own = user.team_id or here
    foreign = not own or (bool(here) and own != here and not organisation)
    return Who(SlackAccount(here or own, user.id, organisation), foreign)


def _kind(payload: str | bytes) -> str:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return ""
    kind = found.get("type") if isinstance(found, dict) else None
    return kind if isinstance(kind, str) else ""


def _read(model: type[P], payload: str | bytes) -> P | Unreadable:
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        return Unreadable(_where(error))


def _where(error: ValidationError) -> str:
    """The places that do not fit; never the values."""
    places = [".".join(str(part) for part in problem["loc"]) for problem in error.errors(include_input=False)]
    return ", ".join(places)[:200]

"""The shapes of what Slack delivers, as far as we read them; what does not fit is refused before anything looks."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(max_length=255)]
Value = Annotated[str, Field(max_length=3_000)]


class _Part(BaseModel):
    """Frozen; what we do not read is dropped. `null` counts as absent where a default is given."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Team(_Part):
    """A workspace; the one where it happened."""

    id: Id
    enterprise_id: Id | None = None


class Enterprise(_Part):
    """An Enterprise Grid organisation."""

    id: Id


class User(_Part):
    """Who did it; `team_id` is where they belong, which differs for strangers in shared channels."""

    id: Id
    team_id: Id | None = None


class Container(_Part):
    """What was clicked in: a message or a view."""

    type: Name = ""
    channel_id: Id = ""
    message_ts: Id = ""
    view_id: Id = ""
    is_ephemeral: bool = False


class Option(_Part):
    """A choice of ours, coming back."""

    value: Value


class Input(_Part):
    """The state of one input."""

    value: Annotated[str, Field(max_length=20_000)] | None = None
    selected_option: Option | None = None
    selected_options: tuple[Option, ...] = ()


class State(_Part):
    """Inputs by block and action."""

    values: dict[Name, dict[Name, Input]] = {}


class Action(_Part):
    """One click."""

    type: Name = ""
    action_id: Name
    block_id: Name = ""
    value: Value = ""
    selected_option: Option | None = None


class View(_Part):
    """A modal or a home tab."""

    id: Id
    type: Name = ""
    hash: Name = ""
    callback_id: Name = ""
    private_metadata: Value = ""
    state: State = State()


class Clicked(_Part):
    """`block_actions`; Slack sends one action at a time."""

    type: Literal["block_actions"]
    team: Team | None = None
    enterprise: Enterprise | None = None
    user: User
    container: Container = Container()
    trigger_id: Name = ""
    response_url: Annotated[str, Field(max_length=1_000)] = ""
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=25)]
    state: State | None = None
    view: View | None = None


class Submitted(_Part):
    """`view_submission` and `view_closed`."""

    type: Literal["view_submission", "view_closed"]
    team: Team | None = None
    enterprise: Enterprise | None = None
    user: User
    trigger_id: Name = ""
    view: View


class Commanded(_Part):
    """A slash command, whose form is flat."""

    team_id: Id
    enterprise_id: Id = ""
    user_id: Id
    channel_id: Id = ""
    command: Name
    text: Annotated[str, Field(max_length=4_000)] = ""
    trigger_id: Name = ""
    response_url: Annotated[str, Field(max_length=1_000)] = ""


class Happened(_Part):
    """The inner event of the Events API."""

    type: Name
    user: Id = ""
    tab: Name = ""


class Event(_Part):
    """`event_callback`."""

    type: Literal["event_callback"]
    team_id: Id
    enterprise_id: Id | None = None
    event_id: Id
    event: Happened


class Challenge(_Part):
    """`url_verification`."""

    type: Literal["url_verification"]
    challenge: Annotated[str, Field(max_length=1_000)]

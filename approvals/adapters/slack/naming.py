"""The names by which Slack brings a click back to us: opaque ids and digests only; they prove nothing by themselves."""

import json
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from support_agents.domain.ids import RequestId

_PREFIX = "sa"
_LONGEST = 255
_DIGEST = 64
_HEX = frozenset("0123456789abcdef")


class Verb(StrEnum):
    """What a button asks for."""

    APPROVE = "approve"
    EDIT = "edit"
    FULLER = "fuller"
    REJECT = "reject"
    MORE = "more"
    UNDO = "undo"
    NOT_ME = "not_me"
    NEXT = "next"
    SHOW = "show"
    TICK = "tick"
    BATCH_APPROVE = "batch_approve"
    CONSOLE = "console"
    ALTERNATIVE = "alternative"
    REDRAFT = "redraft"
    CORRECT = "correct"


class Callback(StrEnum):
    """Which modal was submitted."""

    LOADING = "loading"
    EDIT = "edit"
    CHECKED = "checked"
    FULLER = "fuller"
    REJECT = "reject"
    PASS_ON = "pass_on"  # noqa: S105 - a ticket is passed on, no password
    CORRECT = "correct"
    MORE = "more"
    NOTICE = "notice"


# Inputs of modals: block ids (several texts are `text.0`, `text.1` …) and the one action id within each.
TEXT_BLOCK, REASON_BLOCK, NOTE_BLOCK, REDRAFT_BLOCK, ROWS_BLOCK = "text", "reason", "note", "redraft", "rows"
GROUP_BLOCK, INTENT_BLOCK = "group", "intent"
BACK = "back"  # in a form's metadata: where what follows it is shown
INPUT = "input"


@dataclass(frozen=True)
class Named:
    """A name of ours, taken apart; `detail` is for verbs that come several to a message."""

    installation: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class Target:
    """What a button stands for: one request at one digest."""

    request_id: RequestId
    digest: str


def named(installation: str, name: Verb | Callback, detail: str = "") -> str:
    """An action id or callback id: `sa:<installation>:approve`, unique in its message by `detail`."""
    return ":".join((_PREFIX, installation, name, *((detail,) if detail else ())))


def read_name(text: object) -> Named | None:
    """Take an action id or callback id apart; None when it is none of ours; it may be another installation's."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    parts = text.split(":")
    if len(parts) not in {3, 4} or parts[0] != _PREFIX or not parts[1]:
        return None
    return Named(parts[1], parts[2], parts[3] if len(parts) > 3 else "")  # noqa: PLR2004 - the detail


def value_of(target: Target) -> str:
    """A button's or option's value."""
    return f"{target.request_id}.{target.digest}"


def read_value(text: object) -> Target | None:
    """Take a value apart; None when it is not the form of ours."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    request, _, digest = text.partition(".")
    if len(digest) != _DIGEST or not set(digest) <= _HEX:
        return None
    try:
        return Target(RequestId(UUID(request)), digest)
    except ValueError:
        return None


def metadata_of(installation: str, target: Target, **more: str) -> str:
    """A modal's private metadata: installation, request, digest, and short strings of our own."""
    return json.dumps({"i": installation, "v": value_of(target), **more}, separators=(",", ":"))


def read_metadata(text: object) -> tuple[str, Target, dict[str, str]] | None:
    """Installation, target and the rest of a modal's private metadata; None when it is not the form of ours."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        return None
    target = read_value(found.pop("v", None))
    installation = found.pop("i", "")
    return (installation, target, found) if target and installation else None

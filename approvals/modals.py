"""What a messenger's modal asks of a person, vendor-neutral; the adapter draws it, the desk reads what came back."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from approvals.card import Card, Findings
from support_agents.domain.ids import RequestId

LONGEST_INPUT = 3_000
LONGEST_REPLY = 20_000
MOST_INTENTS, LONGEST_INTENT = 100, 100


class _Modal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(max_length=24)


class LoadingModal(_Modal):
    """A skeleton, opened inside the trigger's three seconds and filled afterwards."""

    request_id: RequestId
    digest: str


class Alternative(StrEnum):
    """What can be had by one tap instead of typing."""

    MACRO = "macro"
    SHORTER = "shorter"
    ASK_ORDER = "ask_order"
    PASS_ON = "pass_on"  # noqa: S105 - a ticket is passed on, no password
    FULLER = "fuller"


class EditModal(_Modal):
    """The reply to be edited; texts beyond one input's length stand in several, to be joined without a break."""

    request_id: RequestId
    digest: str
    text: str = Field(max_length=LONGEST_REPLY)
    alternatives: tuple[Alternative, ...] = ()
    note: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The text in pieces of at most one input, cut where a paragraph, a line or a word ends."""
        return split(self.text, LONGEST_INPUT)


class CheckedModal(_Modal):
    """An edit after its checks: the person sees the result before approving these new bytes."""

    request_id: RequestId
    digest: str
    text: str
    findings: Findings
    approvable: bool


class FullerModal(_Modal):
    """The draft that was written whole, beside the one that is up for approval; taking it makes new bytes."""

    request_id: RequestId
    digest: str
    text: str
    findings: Findings


class RejectModal(_Modal):
    """Asks why, with a typed list and free text, and offers a new draft with that reason.

    `answer_to` is where the next request is to be shown in place of this one, if anywhere.
    """

    request_id: RequestId
    digest: str
    answer_to: str = ""


class PassOnModal(_Modal):
    """Asks to which of the groups the ticket goes."""

    request_id: RequestId
    digest: str
    groups: tuple[str, ...] = Field(min_length=1, max_length=100)


class CorrectModal(_Modal):
    """Asks what the message was about; `left` intents are not among `intents`, but in the console at `console_url`."""

    request_id: RequestId
    digest: str
    intents: tuple[str, ...] = Field(min_length=1, max_length=MOST_INTENTS)
    present: str
    guessed: str
    left: int = 0
    console_url: str = ""


class MoreModal(_Modal):
    """Digest, cost, confidence and evidence of a card; `correctable` offers to say what the message was about."""

    card: Card
    correctable: bool = False


class NoticeModal(_Modal):
    """A few plain lines."""

    lines: tuple[str, ...]
    console_url: str = ""


Modal = (
    LoadingModal
    | EditModal
    | CheckedModal
    | FullerModal
    | RejectModal
    | PassOnModal
    | CorrectModal
    | MoreModal
    | NoticeModal
)


def units(text: str) -> int:
    """The length of a text as messengers count it: units of UTF-16, of which an emoji takes two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int) -> tuple[str, ...]:
    """Cut a text into pieces of at most `limit` units that make it up again, at the best place there is."""
    pieces: list[str] = []
    rest = text
    while units(rest) > limit:
        at = _cut(rest, limit)
        pieces.append(rest[:at])
        rest = rest[at:]
    return (*pieces, rest)


def _cut(text: str, limit: int) -> int:
    """After the last paragraph, else line, else word that ends in the second half of the piece; else at its end."""
    most = _characters(text, limit)
    for mark in ("\n\n", "\n", " "):
        at = text.rfind(mark, most // 2, most)
        if at >= 0 and at + len(mark) <= most:
            return at + len(mark)
    return most


def _characters(text: str, limit: int) -> int:
    """How many characters from the beginning fit into `limit` units; at least one."""
    taken = 0
    for index, character in enumerate(text):
        taken += 2 if character > "\uffff" else 1
        if taken > limit:
            return max(1, index)
    return len(text)

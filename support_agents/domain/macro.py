"""Macros: approved replies with the questions they answer and the cases they hold in; nothing is chosen here."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.action import ActionKind
from support_agents.domain.knowledge import Citation, Passage
from support_agents.domain.orders import OrderStatus


class Window(StrEnum):
    """Whether a period of an order is still running."""

    OPEN = "open"
    CLOSED = "closed"


class Arrival(StrEnum):
    """Where a shipped order stands against its delivery times: within, past, or past by more than we ask to wait."""

    DUE = "due"
    LATE = "late"
    OVERDUE = "overdue"


class Repaid(StrEnum):
    """How much of an order has been refunded."""

    NONE = "none"
    PART = "part"
    FULL = "full"


class Region(StrEnum):
    """Which shop an order or a message belongs to."""

    EU = "eu"
    UK = "uk"


class OrderUse(StrEnum):
    """What a macro wants with an order."""

    NEEDED = "needed"
    HELPS = "helps"
    UNUSED = "unused"


class When(BaseModel):
    """When a case holds; a field that is absent asks for nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: tuple[OrderStatus, ...] | bool | None = Field(
        default=None, description="its statuses, or whether one is known"
    )
    arrival: tuple[Arrival, ...] = ()
    return_window: Window | None = None
    exchange_window: Window | None = None
    report_window: Window | None = None
    refunded: tuple[Repaid, ...] = ()
    refund_proposed: bool | None = None
    attached: bool | None = None
    region: Region | None = None
    bulky: bool | None = None
    carrier: tuple[str, ...] = ()
    sent_within: int | None = Field(default=None, ge=0, description="days since dispatch at most")
    paid_under: int | None = Field(default=None, description="minor units that an order's total must be below")
    item: tuple[str, ...] = Field(default=(), description="beginnings of words, one of which the item has")
    item_without: tuple[str, ...] = ()
    words: tuple[tuple[str, ...], ...] = Field(
        default=(), description="of every group, the message has a word that begins so"
    )
    without: tuple[str, ...] = Field(default=(), description="beginnings of words that the message must not have")
    places: tuple[str, ...] = Field(default=(), description="codes of countries, one of which the message names")
    centimetres: tuple[int, int] | None = Field(
        default=None, description="between which, both included, the one length lies that the message names"
    )
    requested: bool | None = Field(
        default=None, description="whether the customer tells us to do it, not asks whether or how it is done"
    )
    asked_whether: bool | None = Field(default=None, description="whether the customer asks if it is possible")
    proposed: ActionKind | None = Field(default=None, description="what is put to our own people beside the reply")


class MacroSentence(BaseModel):
    """One sentence with slots (`{order.item}`), and what it rests on besides its slots."""

    model_config = ConfigDict(frozen=True)

    text: str
    articles: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    spare: bool = Field(default=False, description="left out where two macros share a reply")
    courtesy: bool = Field(default=False, description="one of our phrases: states nothing")
    paragraph: bool = Field(default=False, description="begins a paragraph")
    when: When = Field(default=When(), description="when it is said in its case; always, unless it asks for something")
    affirms: bool = Field(default=False, description="is said as the answer yes to whoever asks if it is possible")


class MacroCase(BaseModel):
    """The wording for one case."""

    model_config = ConfigDict(frozen=True)

    name: str
    when: When
    sentences: tuple[MacroSentence, ...]


class Macro(BaseModel):
    """One file: the questions that it answers, and its cases, of which the first that holds is used.

    A macro without cases knows its questions and has no answer: nothing is drafted for them.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    language: str
    intents: tuple[str, ...] = Field(description="the first one is planned by; all of them count for likeness")
    questions: tuple[str, ...]
    order: OrderUse = OrderUse.UNUSED
    means: tuple[OrderStatus, ...] = Field(default=(), description="statuses in which an order is plainly meant")
    words: tuple[tuple[str, ...], ...] = ()
    without: tuple[str, ...] = ()
    cases: tuple[MacroCase, ...]
    version: str = Field(description="first digits of the SHA-256 of the file")

    @property
    def articles(self) -> tuple[str, ...]:
        """Ids of all articles that its sentences cite."""
        return tuple(dict.fromkeys(a for case in self.cases for one in case.sentences for a in one.articles))


class BoundSentence(BaseModel):
    """A sentence with its evidence as it stands in the knowledge base now."""

    model_config = ConfigDict(frozen=True)

    text: str
    citations: tuple[Citation, ...]
    facts: tuple[str, ...]
    spare: bool
    courtesy: bool
    paragraph: bool
    when: When = When()
    affirms: bool = False


class BoundCase(BaseModel):
    """A case whose evidence was found and says what its sentences say."""

    model_config = ConfigDict(frozen=True)

    name: str
    when: When
    sentences: tuple[BoundSentence, ...]
    passages: tuple[Passage, ...]


class BoundMacro(BaseModel):
    """A macro with those of its cases that may be used."""

    model_config = ConfigDict(frozen=True)

    macro: Macro
    cases: tuple[BoundCase, ...]


class ChosenMacro(BaseModel):
    """The case of a macro that a reply is written from; `identity` is kept in the record."""

    model_config = ConfigDict(frozen=True)

    identity: str
    sentences: tuple[BoundSentence, ...]


class OpenAsk(BaseModel):
    """A question that a reply names as still open; `topic` is an intent, or `other`."""

    model_config = ConfigDict(frozen=True)

    text: str
    topic: str

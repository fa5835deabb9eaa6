"""Where a messenger shows what, and whom it reminds when: one YAML file, refused whole if anything in it is wrong."""

from collections.abc import Sequence
from datetime import datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from approvals.card import Card
from approvals.messaging import Place
from support_agents.domain.errors import SupportError

ChannelId = Annotated[str, Field(min_length=1, max_length=100)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Which(StrEnum):
    """Which cards a channel gets; all others are taken from the queue one by one."""

    HIGH_RISK = "high_risk"
    ALL = "all"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChannelRule(_Part):
    """A channel and the cards it is for; nothing named means any. `from_minor` is by currency, in minor units."""

    channel: ChannelId
    intents: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    from_minor: dict[Currency, int] = Field(default_factory=dict)

    def takes(self, card: Card) -> bool:
        """Whether the card belongs here."""
        intent = not self.intents or card.intent in self.intents
        language = not self.languages or card.language in self.languages
        return intent and language and self._amount(card)

    def _amount(self, card: Card) -> bool:
        if not self.from_minor:
            return True
        least = self.from_minor.get(card.currency or "")
        return least is not None and card.amount_minor is not None and card.amount_minor >= least


class Duty(_Part):
    """Who is called when: a person or group by the messenger's id, or an operator by address, on these hours."""

    mention: str = ""
    operator: str = ""
    days: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4)
    from_: time = Field(default=time(0), alias="from")
    until: time = Field(default=time(23, 59, 59))
    on_holidays: bool = False

    @model_validator(mode="after")
    def _somebody(self) -> "Duty":
        if bool(self.mention) == bool(self.operator):
            raise ValueError("name either `mention` (U…, W… or S…) or `operator` (an address)")
        return self

    def holds(self, wall: datetime, *, holiday: bool) -> bool:
        """Whether it is theirs at this moment of the wall clock."""
        day = self.on_holidays if holiday else wall.weekday() in self.days
        return day and self.from_ <= wall.time() <= self.until


class Escalation(_Part):
    """The second group, called when little time is left; `channel` if not where the card stands."""

    mention: str = ""
    channel: str = ""
    at_percent: int = Field(default=80, ge=1, le=99)


class Group(_Part):
    """Colleagues to whom a ticket can be passed on; `channel` is told, without it they see it in the console."""

    name: str = Field(min_length=1, max_length=75)
    channel: str = Field(default="", max_length=100)


class MessengerRouting(_Part):
    """The whole file. The first rule that takes a card names its channel, else `channel`; without one none is."""

    channel: str = Field(default="", max_length=100)
    cards: Which = Which.HIGH_RISK
    rules: tuple[ChannelRule, ...] = ()
    summary: bool = True
    remind_at_percent: tuple[Annotated[int, Field(ge=1, le=99)], ...] = (50, 80)
    on_call: tuple[Duty, ...] = ()
    escalation: Escalation = Escalation()
    groups: tuple[Group, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _in_order(self) -> "MessengerRouting":
        if list(self.remind_at_percent) != sorted(set(self.remind_at_percent)):
            raise ValueError("remind_at_percent: each share once, the smallest first")
        if len({group.name for group in self.groups}) != len(self.groups):
            raise ValueError("groups: each name once")
        return self

    @property
    def channels(self) -> tuple[Place, ...]:
        """Every channel that is named."""
        named = (self.channel, *(rule.channel for rule in self.rules), self.escalation.channel)
        named += tuple(group.channel for group in self.groups)
        return tuple(Place(channel) for channel in dict.fromkeys(named) if channel)

    def place_of(self, card: Card) -> Place:
        """The one channel that a card belongs to."""
        return Place(next((rule.channel for rule in self.rules if rule.takes(card)), self.channel))

    def posts(self, card: Card) -> bool:
        """Whether the card is put into its channel without being asked for."""
        wanted = self.cards is Which.ALL or card.high_risk
        return wanted and card.state.decidable and bool(self.place_of(card).id)

    def on_duty(self, now: datetime, zone: ZoneInfo, *, holiday: bool) -> Duty | None:
        """Who is called at this moment; the first that holds."""
        wall = now.astimezone(zone)
        return next((duty for duty in self.on_call if duty.holds(wall, holiday=holiday)), None)

    def share_reached(self, percent: float) -> int | None:
        """The largest share of the time limit that calls for a reminder and is reached."""
        return max((share for share in self._shares if share <= percent), default=None)

    @property
    def _shares(self) -> Sequence[int]:
        escalates = self.escalation.mention or self.escalation.channel
        return (*self.remind_at_percent, *((self.escalation.at_percent,) if escalates else ()))

    def escalates(self, share: int) -> bool:
        """Whether the second group is called at this share."""
        return bool(self.escalation.mention or self.escalation.channel) and share >= self.escalation.at_percent


def load_routing(path: Path) -> MessengerRouting:
    """Read the file; `settings` with file and place named when it cannot be used."""
    try:
        return MessengerRouting.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except OSError as error:
        raise SupportError(
            "settings", f"cannot read {path.name} ({error.strerror}); set SUPPORT_SLACK_ROUTING"
        ) from error
    except yaml.YAMLError as error:
        raise SupportError("settings", f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        places = "; ".join(f"{_place(each['loc'])}: {each['msg'].removeprefix('Value error, ')}" for each in problems)
        raise SupportError("settings", f"{path.name}: {places}") from error


def _place(path: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in path) or "file"

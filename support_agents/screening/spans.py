"""What a finder of personal data answers; it holds places and kinds, never the values themselves."""

from enum import StrEnum
from typing import NamedTuple, Protocol


class PiiKind(StrEnum):
    """What a placeholder stands for."""

    EMAIL = "EMAIL"
    URL = "URL"
    IP = "IP"
    IBAN = "IBAN"
    NATIONAL_ID = "NATIONAL_ID"
    LICENCE = "LICENCE"
    CARD = "CARD"
    PHONE = "PHONE"
    ADDRESS = "ADDRESS"
    NAME = "NAME"


class Found(NamedTuple):
    """`text[start:end]` is personal data of this kind."""

    start: int
    end: int
    kind: PiiKind


class PiiFinder(Protocol):
    """Finds personal data; the rules are one, an installed recogniser may be another."""

    def find(self, text: str) -> tuple[Found, ...]:
        """Return finds in order of their start, none overlapping another."""
        ...

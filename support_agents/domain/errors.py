"""Results and errors of the whole product; wording for HTTP or Slack is made at the edge, never here."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class SupportError(Exception):
    """A failure with a stable `code`; `retryable` says whether the same call may succeed later."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable


class AskedToWaitError(SupportError):
    """A provider named the `seconds` after which the same call may succeed."""

    def __init__(self, code: str, message: str, *, seconds: float) -> None:
        super().__init__(code, message, retryable=True)
        self.seconds = seconds


@dataclass(frozen=True)
class Ok(Generic[T]):
    """A tool's success."""

    value: T


@dataclass(frozen=True)
class Failed:
    """A tool's failure: never None, never an exception across a port."""

    code: str
    message: str
    retryable: bool = False

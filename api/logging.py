"""One JSON object or console line per event, with ids and codes; never a secret, never a person's words."""

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from api.choices import LogFormat
from api.settings import Settings
from support_agents.domain.events import EventName, OutboxEvent

# What may be a field of a log line. Anything else is dropped: text, names and addresses have no way in.
ALLOWED = frozenset(
    {
        *("event", "level", "timestamp", "logger"),
        *("workspace", "ticket", "run", "request", "execution", "operator", "session", "inbox", "outbox", "subject"),
        *("source", "reason", "code", "error", "error_type", "name", "attempts", "outcome", "status", "label"),
        *("ms", "seconds", "count", "method", "route", "host", "port", "version", "duty", "late", "url", "retry_at"),
    }
)

_SUBJECTS = {
    EventName.TICKET_RECEIVED: "ticket",
    EventName.EXECUTION_DUE: "execution",
    EventName.REQUEST_CHANGED: "request",
}


def configure(settings: Settings) -> None:
    """Set up logging for this process; called once by an entry point."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _quiet_libraries(level)


def about(**ids: object) -> AbstractContextManager[None]:
    """Have every line of this task name these, as `run=`, `ticket=` or another allowed field."""
    return structlog.contextvars.bound_contextvars(**{name: str(value) for name, value in ids.items()})


def about_event(event: OutboxEvent) -> AbstractContextManager[None]:
    """Have every line that follows from an event name it and what it is about."""
    return about(**{"outbox": event.id, _SUBJECTS.get(event.name, "subject"): event.subject})


def only_allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop every field that is not known to be free of personal text."""
    return {key: value for key, value in event.items() if key in ALLOWED}


class _Library(logging.Handler):
    """Tells that a library complained, which one and of what kind; never its words, which may quote a request."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line of ours."""
        error = record.exc_info[1] if record.exc_info else None
        kind = {} if error is None else {"error_type": error_type(error)}
        get().log(record.levelno, "library", logger=record.name, **kind)


def _quiet_libraries(level: int) -> None:
    """Libraries speak only of trouble; some of them would print whole requests otherwise."""
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[_Library()], force=True)
    for name in ("httpx", "httpx2", "openai", "anthropic", "mail.log", "sqlalchemy.engine", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.WARNING)


def error_type(error: BaseException) -> str:
    """Return what may be logged of an exception: its type, never its message (which may quote a customer)."""
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


Logger = Callable[[], structlog.typing.FilteringBoundLogger]


def get() -> structlog.typing.FilteringBoundLogger:
    """Return the logger."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger

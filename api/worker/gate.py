"""What a worker lets in of what lies in a queue: hints in our own form and nothing else; it logs no content."""

import json
import logging as stdlib_logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer
from kombu import Message

from api import logging
from api.worker.broker import TASK
from api.worker.hints import Hint
from support_agents.domain.errors import SupportError

_LONGEST_BODY = 1_000
_LIBRARIES = ("celery", "kombu", "amqp", "redis")
# What else of Celery's protocol would make a worker do something: later, again, or with consequences.
_UNUSED_HEADERS = ("eta", "expires", "retries", "group", "group_index", "stamps", "compression")


class GatedConsumer(Consumer):  # type: ignore[misc] # Celery is not typed
    """Celery's consumer, which sees only messages that have passed the gate; the others are discarded and counted."""

    def create_task_handler(self, *given: Any) -> Callable[[Message], None]:  # noqa: ANN401 - Celery's signature
        """Return what takes each message as it arrives."""
        handle = super().create_task_handler(*given)

        def let_in(message: Message) -> None:
            try:
                hint_of(message)
            except SupportError as refused:
                logging.get().error("message_refused", code=refused.code)
                message.ack_log_error(_SILENT, self.connection_errors)
                return
            handle(message)

        return let_in


def hint_of(message: Message) -> Hint:
    """Return a message's hint; `not_a_hint` for all that this software does not send. No class is looked up."""
    headers = message.headers if isinstance(message.headers, dict) else {}
    is_ours = headers.get("task") == TASK and message.content_type == "application/json"
    if not is_ours or any(headers.get(name) for name in _UNUSED_HEADERS) or any(headers.get("timelimit") or ()):
        raise SupportError("not_a_hint", "a message is not of ours")
    arguments, named, embedded = _parts(message.body)
    if named or not isinstance(embedded, dict) or any(embedded.values()):
        raise SupportError("not_a_hint", "a message asks for more than one attempt at one event")
    return Hint.read(arguments)


def _parts(body: object) -> tuple[Any, Any, Any]:
    raw = body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | memoryview) else b""
    try:
        if 0 < len(raw) <= _LONGEST_BODY:
            arguments, named, embedded = json.loads(raw)
            return arguments, named, embedded
    except (ValueError, TypeError, RecursionError):
        pass
    raise SupportError("not_a_hint", "a message cannot be read")


class _Wordless(stdlib_logging.Handler):
    """Tells that a library spoke, and what kind of error it saw; its words may quote a message or an address."""

    def emit(self, record: stdlib_logging.LogRecord) -> None:
        """Log the record without its text."""
        error = record.exc_info[1] if record.exc_info else None
        kind = "" if error is None else logging.error_type(error)
        logging.get().warning("broker_trouble", label=f"{record.name}.{record.funcName}", error_type=kind)


_SILENT = stdlib_logging.getLogger("celery.worker")


def silence_libraries() -> None:
    """Have the broker's libraries speak through us from now on."""
    for name in _LIBRARIES:
        logger = stdlib_logging.getLogger(name)
        logger.handlers[:] = [_Wordless(stdlib_logging.WARNING)]
        logger.propagate = False
        logger.setLevel(stdlib_logging.WARNING)

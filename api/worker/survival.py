"""The worker's one broad `except`: work that failed is reported by kind and never takes the loop with it."""

from collections.abc import Awaitable

from api import logging
from support_agents.domain.errors import SupportError


async def survived(label: str, work: Awaitable[object]) -> str | None:
    """Await `work`; return None, or the code or kind of what went wrong – never its message, which may quote people."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever one event does, the others must go on
        kind = error.code if isinstance(error, SupportError) else logging.error_type(error)
        logging.get().error("work_failed", label=label, error_type=kind)
        return kind
    return None

"""Password hashing with argon2id, off the event loop and never more than two at once; it stores nothing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from support_agents.domain.errors import SupportError

SHORTEST, LONGEST = 10, 200
MOST_WAITING = 32
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Passwords:
    """Hashes and compares; an unknown operator costs as much time as a known one."""

    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
    )
    waiting: set[object] = field(default_factory=set)

    async def hashed(self, password: str) -> str:
        """Return the hash to store; raise `SupportError` for a password too short to be one."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise SupportError(
                "invalid", f"A password has {SHORTEST} to {LONGEST} characters; a short sentence is good."
            )
        return await self._apart(self.hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one that was hashed."""
        if len(password) > LONGEST:
            return False
        if stored is None:
            await self._apart(self.hasher.hash, password)
            return False
        try:
            return await self._apart(self.hasher.verify, stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self.hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    async def _apart(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        if len(self.waiting) >= MOST_WAITING:
            raise SupportError("busy", "Too many people are signing in at once; try again in a moment.", retryable=True)
        ticket = object()
        self.waiting.add(ticket)
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, partial(work, *given, **named))
        finally:
            self.waiting.discard(ticket)

"""Slowing down guesses at passwords: by address and peer together, by address, by peer; it learns no address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from api.secret_key import SecretKey
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

WINDOW = timedelta(minutes=15)
_FIRST_LOCK = timedelta(seconds=15)
_LONGEST_LOCK = timedelta(minutes=15)
# Free attempts within the window. A stranger elsewhere cannot lock a person out quickly: the pair counts first.
_FREE = {"pair": 5, "address": 25, "peer": 60}


@dataclass(frozen=True)
class SignInLimits:
    """Keys are keyed digests, so the table tells nobody who tried to sign in."""

    key: SecretKey

    def keys(self, email: str, peer: str) -> Mapping[str, str]:
        """Return what an attempt counts against."""
        address = email.strip().lower()
        contents = {"pair": f"{address}\n{peer}", "address": address, "peer": peer}
        return {
            kind: self.key.keyed(f"sign-in {kind}", content.encode("utf-8", "replace"))
            for kind, content in contents.items()
        }

    async def count(self, uow: UnitOfWork, workspace: WorkspaceId, keys: Mapping[str, str]) -> None:
        """Count an attempt, and lock for ever longer from the first one too many; raise `locked_out` while locked."""
        now = await uow.now()
        # Counting first takes the rows' locks, so that attempts at once come after one another and see each other's.
        counted = {
            kind: await uow.sign_in_failures.count(workspace, key, now=now, window=WINDOW) for kind, key in keys.items()
        }
        until = await uow.sign_in_failures.locked_until(workspace, keys.values())
        if until is not None:
            seconds = int((until - now).total_seconds()) + 1
            raise SupportError("locked_out", f"Too many attempts; try again in {seconds} seconds.", retryable=True)
        for kind, failures in counted.items():
            if failures >= _FREE[kind]:
                lock = min(_FIRST_LOCK * 2 ** min(failures - _FREE[kind], 10), _LONGEST_LOCK)
                await uow.sign_in_failures.lock(workspace, keys[kind], until=now + lock)

    async def clear(self, uow: UnitOfWork, workspace: WorkspaceId, keys: Mapping[str, str]) -> None:
        """Forget the failures of this person here after a success; the peer's others stay counted."""
        await uow.sign_in_failures.clear(workspace, keys["pair"])
        await uow.sign_in_failures.clear(workspace, keys["address"])

"""What a check of `doctor` says: fine or not, and then the command that mends it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from api.settings import Settings
from support_agents.domain.errors import SupportError


@dataclass(frozen=True)
class Finding:
    """One line; `fix` is a command or a setting, empty when all is well; `absent` is what works and was not set up."""

    name: str
    detail: str
    fix: str = ""
    absent: bool = False

    @property
    def ok(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.fix


Check = Callable[[Settings], Awaitable[tuple[Finding, ...]]]


async def findings(name: str, check: Check, settings: Settings, *, fix: str) -> tuple[Finding, ...]:
    """Run a check; an error of ours is a finding, too, mended by `fix`."""
    try:
        return await check(settings)
    except SupportError as error:
        return (Finding(name, error.message, fix),)

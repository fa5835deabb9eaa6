"""The work of `tokens`: makes a bearer token in SQL; works beside a running server."""

from datetime import timedelta

from api.auth import Scope
from api.cli.installation import configured, recorded
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE


async def issue(name: str, *, scopes: str, life: timedelta) -> str:
    """Return a fresh token with these scopes."""
    wanted = _scopes(scopes)
    async with recorded(configured()) as records:
        _, token = await records.auth.issue_token(DEFAULT_WORKSPACE, name=name, scopes=wanted, life=life)
    return token


def _scopes(text: str) -> list[Scope]:
    words = text.replace(",", " ").split()
    unknown = [word for word in words if word not in set(Scope)]
    if unknown or not words:
        known = ", ".join(Scope)
        raise SupportError("invalid", f"--scopes takes {known}; {', '.join(unknown) or 'nothing'} is not one")
    return [Scope(word) for word in dict.fromkeys(words)]

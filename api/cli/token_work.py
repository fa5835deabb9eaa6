"""The work of `tokens`: makes and ends bearer tokens in SQL; works beside a running server."""

from datetime import timedelta

from api.auth import Scope, hashed
from api.cli.installation import configured, recorded
from db.fences import SIGN_IN
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE


async def issue(name: str, *, scopes: str, life: timedelta) -> str:
    """Return a fresh token with these scopes."""
    wanted = _scopes(scopes)
    async with recorded(configured()) as records:
        _, token = await records.auth.issue_token(DEFAULT_WORKSPACE, name=name, scopes=wanted, life=life)
    return token


async def end(token: str) -> None:
    """End a token that is still good; on record, like its making."""
    async with recorded(configured()) as records:
        async with records.database.read(SIGN_IN) as uow:
            found = await uow.api_tokens.find(hashed(token.strip()))
        if found is None:
            raise SupportError("not_found", "no such token, or it has ended already")
        await records.auth.revoke_token(found.workspace, found.id)


def _scopes(text: str) -> list[Scope]:
    words = text.replace(",", " ").split()
    unknown = [word for word in words if word not in set(Scope)]
    if unknown or not words:
        known = ", ".join(Scope)
        raise SupportError("invalid", f"--scopes takes {known}; {', '.join(unknown) or 'nothing'} is not one")
    return [Scope(word) for word in dict.fromkeys(words)]

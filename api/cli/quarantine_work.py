"""The work of `quarantine`: reads the workspace's state, and ends quarantine in an admin's own session."""

from api.cli.client import running
from api.cli.installation import configured, opened, recorded
from api.cli.output import results
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

PEER = "127.0.0.1"


async def held() -> bool:
    """Print the state; works beside a running server."""
    async with recorded(configured()) as records, records.database.read() as uow:
        workspace = await uow.workspaces.get(DEFAULT_WORKSPACE)
    if workspace.quarantined_at is None:
        results().print("not in quarantine")
        return False
    since = workspace.quarantined_at.isoformat(timespec="minutes")
    results().print(f"in quarantine since {since}: {workspace.quarantine_reason}", markup=False)
    results().print("look at what is in doubt, then run `support-agents quarantine adopt --email ADMIN`")
    return True


async def adopt(email: str, password: str) -> None:
    """Sign the admin in and adopt the database in that session."""
    settings = configured()
    if running(settings) is not None:
        raise SupportError("already_running", "a server is running; adopt in its console, or stop it first")
    async with opened(settings) as container:
        signed_in = await container.auth.sign_in(DEFAULT_WORKSPACE, email=email, password=password, peer=PEER)
        interactive = await container.auth.session(signed_in.token)
        if interactive is None:
            raise SupportError("bad_credentials", "the session ended at once; try again")
        await container.standings.adopt(interactive.person)
        await container.auth.sign_out(interactive.person)
    results().print("adopted; dispatch goes on at the next `support-agents serve`")

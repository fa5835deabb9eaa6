"""The work of `stop` and `resume`: one transaction in SQL, beside a running server or without one."""

from api.cli.installation import configured, recorded
from api.cli.output import results
from approvals.canonical import Way
from approvals.dispatch import DispatchSwitch, Extent
from support_agents.domain.action import ActionKind
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

PEER = "127.0.0.1"


async def stop(kind: str, way: str) -> None:
    """Stop, on record."""
    extent = _extent(kind, way)
    async with recorded(configured()) as records:
        await DispatchSwitch(records.database).stop_here(DEFAULT_WORKSPACE, extent)
    results().print(f"stopped: {extent.what}; go on with `support-agents resume --email ADMIN`", markup=False)


async def resume(email: str, password: str, kind: str, way: str) -> None:
    """Sign the admin in and let it go on in that session."""
    extent = _extent(kind, way)
    async with recorded(configured()) as records:
        signed_in = await records.auth.sign_in(DEFAULT_WORKSPACE, email=email, password=password, peer=PEER)
        interactive = await records.auth.session(signed_in.token)
        if interactive is None:
            raise SupportError("bad_credentials", "the session ended at once; try again")
        try:
            await DispatchSwitch(records.database).resume(interactive.person, extent)
        finally:
            await records.auth.sign_out(interactive.person)
    results().print(f"goes on: {extent.what}", markup=False)


def _extent(kind: str, way: str) -> Extent:
    if kind and kind not in set(ActionKind):
        raise SupportError("invalid", f"'{kind}' is no kind of action; write one of {', '.join(ActionKind)}")
    if way and way not in set(Way):
        raise SupportError("invalid", f"'{way}' is no way out; write one of {', '.join(Way)}")
    return Extent(ActionKind(kind) if kind else None, Way(way) if way else None)

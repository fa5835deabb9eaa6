"""Brings an open installation's index in step with SQL and shows how far it is; a running server does this itself."""

from api.cli.output import progress, remarks
from api.container import Container
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.indexing import Indexed


async def index_in_step(container: Container) -> Indexed:
    """Embed what is missing and forget what is gone; a pass that was stopped is taken up by the next."""
    with progress("passages", remarks()) as step:
        return await container.follower.indexer.refresh(DEFAULT_WORKSPACE, step)

"""With a damaged anchor adopting failed halfway: effects went on, nothing was sealed, the next start was held."""

import asyncio
from pathlib import Path

from support_agents.domain.approval import Role
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.installation import Installation, open_installation


async def dispatch(installation: Installation) -> str:
    return str((await installation.client.get("/readyz")).json()["dispatch"])


async def unsealed(installation: Installation) -> int:
    async with installation.container.database.read() as uow:
        return len(await uow.audit.unsealed(DEFAULT_WORKSPACE, limit=10))


async def test_an_admin_ends_the_quarantine_for_good(tmp_path: Path) -> None:
    async with open_installation({"data_dir": tmp_path}) as installation:
        await installation.add_operator(Role.ADMIN)
        operators = dict(installation.operators)
    (tmp_path / "anchor.json").write_text("damaged")
    async with open_installation({"data_dir": tmp_path}) as installation:
        installation.operators.update(operators)
        assert await dispatch(installation) == "quarantined"
        admin = await installation.sign_in(Role.ADMIN)
        adopted = await installation.client.post("/v1/quarantine/adopt", headers=admin)
        assert adopted.status_code == 204, adopted.text
        async with installation.working(), asyncio.timeout(120):
            while await unsealed(installation):  # noqa: ASYNC110 - nothing tells a test of a seal
                await asyncio.sleep(0.05)
    async with open_installation({"data_dir": tmp_path}) as installation:
        assert await dispatch(installation) == "on"

"""The product as a database role that goes past no fence: from a signed webhook to a decided card."""

from pathlib import Path

from support_agents.domain.approval import Role
from tests.fixtures.installation import event, open_installation
from tests.integration.db.test_fences import ordinary_url

__all__ = ["ordinary_url"]


async def test_a_message_becomes_a_card_that_a_person_decides(ordinary_url: str, tmp_path: Path) -> None:
    slow = {"deadline_seconds": 30, "lease_seconds": 60}  # what is asked here is not how fast it is
    async with open_installation({"database_url": ordinary_url, "data_dir": tmp_path / "data", **slow}) as opened:
        async with opened.working():
            await opened.keeper_ready()
            ticket = (await opened.send(event())).json()["ticket_id"]
            await opened.settled()
        person = await opened.sign_in(Role.MANAGER)
        shown = (await opened.client.get(f"/v1/tickets/{ticket}", headers=person)).json()
        assert shown["runs"], shown
        pending = (await opened.client.get("/v1/approvals", headers=person)).json()["items"]
        assert pending, "a card is there to be decided"
        one = (await opened.client.get(f"/v1/approvals/{pending[0]['id']}", headers=person)).json()
        decided = await opened.client.post(
            f"/v1/approvals/{one['id']}/decisions",
            headers=person,
            json={"decision": "approve", "digest": one["digest"]},
        )
        assert decided.status_code < 300, decided.text

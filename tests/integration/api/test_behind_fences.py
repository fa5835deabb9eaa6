"""The product as a database role that goes past no fence: from a signed webhook to a decided card."""

from pathlib import Path

from tests.fixtures.installation import open_installation
from tests.integration.db.test_fences import ordinary_url

__all__ = ["ordinary_url"]


async def test_a_message_becomes_a_card_that_a_person_decides(ordinary_url: str, tmp_path: Path) -> None:
    slow = {"deadline_seconds": 30, "lease_seconds": 60}  # what is asked here is not how fast it is
    async with open_installation({"database_url": ordinary_url, "data_dir": tmp_path / "data", **slow}) as opened:
        await opened.message_decided()

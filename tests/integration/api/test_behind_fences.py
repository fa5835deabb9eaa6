"""The product as a database role that goes past no fence: from a signed webhook to a decided card."""

from pathlib import Path

from tests.fixtures.installation import UNHURRIED, open_installation
from tests.integration.db.test_fences import ordinary_url

__all__ = ["ordinary_url"]


async def test_a_message_becomes_a_card_that_a_person_decides(ordinary_url: str, tmp_path: Path) -> None:
    async with open_installation({**UNHURRIED, "database_url": ordinary_url, "data_dir": tmp_path / "data"}) as opened:
        await opened.message_decided()

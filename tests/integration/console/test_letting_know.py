"""A ticket that came to a person has a letter in the customer's language on its page, and sends nothing."""

import re
from pathlib import Path

import pytest

from tests.fixtures.installation import UNHURRIED, Installation, event, local_installation, open_installation

__all__ = ["local_installation"]

FINNISH = "Hei, tilasin teltan kaksi viikkoa sitten, enkä ole kuullut siitä mitään. Haluan puhua jonkun kanssa, kiitos."
ENGLISH = "I want to speak to a real person about my order, please."


async def ticket_page(installation: Installation, text: str, subject: str = "A return") -> str:
    async with installation.working():
        body = event(text=text)
        body["ticket"]["subject"] = subject
        answer = await installation.send(body)
        await installation.settled()
    shown = await installation.client.get(
        f"/console/tickets/{answer.json()['ticket_id']}", headers=await installation.sign_in()
    )
    assert shown.status_code == 200
    return re.sub(r"<[^>]+>", "", shown.text)


@pytest.mark.parametrize(
    ("text", "letter", "language"),
    [
        (FINNISH, "Olemme vastaanottaneet viestisi.", "in Finnish"),
        (ENGLISH, "A colleague will read it and answer you.", "To let the customer know"),
    ],
)
async def test_the_page_has_words_for_the_customer(
    local_installation: Installation, text: str, letter: str, language: str
) -> None:
    page = await ticket_page(local_installation, text)
    assert letter in page
    assert language in page


async def test_words_that_tell_no_language_are_answered_in_the_accounts(tmp_path: Path) -> None:
    """The page offers the letter in German for a customer of a German shop who wrote a number and nothing else."""
    settings = {**UNHURRIED, "data_dir": tmp_path, "language": "de"}
    async with open_installation(settings) as installation:
        page = await ticket_page(installation, "4711?", subject="4711")
    assert "To let the customer know in German" in page
    assert "Guten Tag Anna" in page

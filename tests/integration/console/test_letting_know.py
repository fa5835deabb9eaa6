"""A ticket that came to a person has a letter in the customer's language on its page, and sends nothing."""

import re

import pytest

from tests.fixtures.installation import Installation, event, local_installation

__all__ = ["local_installation"]

FINNISH = "Hei, tilasin teltan kaksi viikkoa sitten, enkä ole kuullut siitä mitään. Haluan puhua jonkun kanssa, kiitos."
ENGLISH = "I want to speak to a real person about my order, please."


async def ticket_page(installation: Installation, text: str) -> str:
    async with installation.working():
        answer = await installation.send(event(text=text))
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

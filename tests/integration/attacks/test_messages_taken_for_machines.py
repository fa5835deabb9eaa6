"""“Undelivered parcel” was taken for a bounce: stored, answered by nobody, shown to nobody (I4, I5)."""

import pytest

from tests.fixtures.installation import Installation, event

PEOPLE = (
    "Undelivered parcel A-1001",
    "Undeliverable address on my order",
    "Unzustellbares Paket",
    "Nicht zustellbar – und jetzt?",
    "Abwesend beim Zustellversuch",
    "Returned mail order, where is my money",
    "Failure notice on my kettle",
    "Mail delivery failed to bring my parcel",
)
MACHINES = (
    "Undeliverable: Your order",
    "Undelivered Mail Returned to Sender",
    "Unzustellbar: Ihre Bestellung",
    "Nicht zustellbar: Ihre Bestellung",
    "Abwesend: Ihre Bestellung",
    "Returned mail: see transcript for details",
    "failure notice",
    "Mail delivery failed: returning message to sender",
)


async def runs_called_for(installation: Installation, subject: str) -> int:
    body = event()
    body["ticket"]["subject"] = subject
    answer = await installation.send(body)
    assert answer.status_code == 202, answer.text
    return (await installation.counts())["outbox"]


@pytest.mark.parametrize("subject", PEOPLE)
async def test_what_a_person_writes_starts_a_run(local_installation: Installation, subject: str) -> None:
    assert await runs_called_for(local_installation, subject) == 1


@pytest.mark.parametrize("subject", MACHINES)
async def test_what_a_mail_server_writes_starts_none(local_installation: Installation, subject: str) -> None:
    assert await runs_called_for(local_installation, subject) == 0

"""A whole run in JSON log lines: its ids are in them, and no word of the customer is."""

import json
import logging as stdlib_logging

import pytest
import structlog

from api import logging
from api.choices import LogFormat
from tests.fixtures.installation import Installation, event

SAID = "Zyxwv Kettleworth of 4711 Nowhere Lane asks when the quaxolotl arrives"


async def test_a_run_leaves_its_ids_in_the_log_and_no_word_of_the_customer(
    local_installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    root = stdlib_logging.getLogger()
    handlers, level = [*root.handlers], root.level
    settings = local_installation.container.settings.model_copy(
        update={"log_format": LogFormat.JSON, "log_level": "DEBUG"}
    )
    logging.configure(settings)
    try:
        async with local_installation.working():
            answer = await local_installation.send(event(text=SAID, html=f"<p>{SAID}</p>"))
            await local_installation.settled()
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.err.splitlines()]
    (finished,) = [line for line in lines if line["event"] == "run_finished"]
    assert finished["ticket"] == answer.json()["ticket_id"]
    assert {"run", "outbox", "outcome", "ms", "late"} <= finished.keys()
    for word in (*SAID.split(), "anna", "Anna", "example.com", "A return"):
        if len(word) > 3:
            assert word not in printed.err, word
            assert word not in printed.out, word

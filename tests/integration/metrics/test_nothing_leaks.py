"""A message full of personal data through the whole product: all that leaves for models, logs, figures is searched."""

import asyncio
import json
import logging as stdlib_logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from api import logging
from api.auth import Scope
from api.choices import LogFormat
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.installation import UNHURRIED, Installation, event, open_installation
from tests.peers.collector import Collector
from tests.peers.model_provider import ModelProvider, model_provider

NAME, MAIL = "Quillona Bramsegger", "quillona.bramsegger77@postbox.example"
# Each is of a kind that the recogniser knows, valid where it has a checksum, and found nowhere else in the product.
PERSONAL = {
    "mail": "zyx.other.mail@elsewhere.example",
    "phone": "+49 1512 3456789",
    "card": "4539 1488 0343 6467",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ip": "203.0.113.77",
    "link": "https://shop.example/reset?token=Xq81kQzz73Lm20aaB4",
    "street": "Wolkenbruchstraße 4711",
    "signed": "Ottokarina Fenzelmoos",
    "shouted": "QUILLONA BRAMSEGGER",
}
ASKED = (
    "How long may I send an item back after delivery, and who pays for the return? "
    f"Write to {PERSONAL['mail']} or call {PERSONAL['phone']}. My card is {PERSONAL['card']}, "
    f"my account {PERSONAL['iban']}. I wrote from {PERSONAL['ip']} over {PERSONAL['link']} and live in "
    f"{PERSONAL['street']}. This is for {PERSONAL['shouted']}.\n\nKind regards,\n{PERSONAL['signed']}"
)
FILE = f"scan of {PERSONAL['mail']} for {NAME}.pdf"


def searched() -> list[str]:
    """The values as they were written and without their spaces, and each part of a name."""
    values = [*PERSONAL.values(), NAME, MAIL]
    return [*values, *("".join(one.split()) for one in values), *NAME.split(), *PERSONAL["signed"].split()]


def leaked(told: str) -> list[str]:
    return [value for value in searched() if value in told or json.dumps(value)[1:-1] in told]


def full_of_it(number: int) -> dict[str, object]:
    body = event(
        message_id=f"M-{number}",
        text=ASKED,
        html=f"<p>{ASKED}</p>",
        attachments=[{"id": "f1", "filename": FILE, "content_type": "application/pdf", "size": 3}],
    )
    body["ticket"]["subject"] = f"Return for {NAME}, {PERSONAL['phone']}"
    body["ticket"]["requester"] = {"email": MAIL, "name": NAME, "verified": True}
    return body


@asynccontextmanager
async def speaking(settings: dict[str, object]) -> AsyncIterator[tuple[Installation, ModelProvider]]:
    """An installation with a fake provider that writes all its log lines as JSON."""
    root = stdlib_logging.getLogger()
    handlers, level = [*root.handlers], root.level
    async with model_provider(ModelProvider()) as provider:
        of_models: dict[str, object] = {
            "llm_provider": "openai",
            "llm_model": "gpt-5",
            "llm_small_model": "gpt-5-nano",
            "llm_base_url": provider.openai_url,
            "llm_api_key": "sk-of-the-test",
            "llm_hedge_share": 0.0,
        }
        async with open_installation({**UNHURRIED, **settings, **of_models}) as installation:
            spoken = installation.container.settings.model_copy(
                update={"log_format": LogFormat.JSON, "log_level": "DEBUG"}
            )
            logging.configure(spoken)
            try:
                yield installation, provider
            finally:
                structlog.reset_defaults()
                root.handlers[:] = handlers
                root.setLevel(level)


async def handled(installation: Installation, *numbers: int) -> None:
    async with installation.working():
        await installation.keeper_ready()
        for number in numbers:
            assert (await installation.send(full_of_it(number))).status_code == 202
            await installation.settled()


async def test_no_personal_data_leaves_for_models_logs_figures_or_spans(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], collector: Collector
) -> None:
    settings = {
        "database_url": sqlite_url,
        "data_dir": tmp_path / "data",
        "traces_url": f"{collector.base_url}/v1/traces",
    }
    async with speaking(settings) as (installation, provider):
        await handled(installation, 1, 2)  # the second time the first one is what was said before
        async with installation.working(), asyncio.timeout(120):
            while sum(span.name == "run" for span in collector.spans()) < 2:  # noqa: ASYNC110 - nothing tells of a span
                await asyncio.sleep(0.05)
        figures = await installation.client.get("/metrics", headers=await installation.token(Scope.READ))
    printed = capsys.readouterr()
    asked = "\n".join(json.dumps(one.body, ensure_ascii=False) for one in provider.asked)
    assert "send an item back" in asked, "the model was asked nothing, so nothing was shown"
    assert leaked(asked) == []
    assert leaked("\n".join(str(one) for one in provider.headers)) == []
    assert '"run_finished"' in printed.err
    assert leaked(printed.err + printed.out) == []
    assert leaked(figures.text) == []
    assert leaked(b"".join(collector.bodies).decode(errors="replace")) == []


async def test_a_workspace_that_forbids_models_outside_asks_none_and_is_served(sqlite_url: str, tmp_path: Path) -> None:
    closed: dict[str, object] = {"local_only_workspaces": str(DEFAULT_WORKSPACE)}
    settings = {"database_url": sqlite_url, "data_dir": tmp_path / "data", **closed}
    async with speaking(settings) as (installation, provider):
        await handled(installation, 1)
        async with installation.container.database.read() as uow:
            (row,) = (await uow.session.execute(text("SELECT status, outcome FROM runs"))).all()
    assert list(provider.asked) == []
    assert tuple(row) == ("finished", "extractive")

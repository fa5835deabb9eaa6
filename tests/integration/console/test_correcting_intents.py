"""A person says what a message was about: in the console and over REST; kept masked, exported and trained on."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from api.auth import Scope
from support_agents.domain.approval import Role
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId
from support_agents.domain.intent import Correction
from tests.fixtures.command_line import CommandLine
from tests.fixtures.console import Desk, open_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def run_of(desk: Desk) -> tuple[RunId, str]:
    """A finished run and its ticket's page."""
    request = await desk.reply()
    async with desk.installation.container.database.read() as uow:
        found = await uow.approvals.get(request)
    assert found is not None
    return found.run_id, f"/console/tickets/{found.ticket_id}"


async def kept(desk: Desk) -> tuple[Correction, ...]:
    async with desk.installation.container.database.read() as uow:
        page = await uow.intent_corrections.page(DEFAULT_WORKSPACE, after=None, limit=100)
    return tuple(one for _, one in page)


async def test_a_correction_is_kept_shown_replaced_and_on_record(desk: Desk) -> None:
    ann, (run, page) = await desk.browser(), await run_of(desk)
    before = len(await kept(desk))
    assert "Not about order status?" in (await ann.get(page)).text
    for intent in ("refund_request", "unknown", "unknown"):
        done = await ann.post(f"/console/runs/{run}/intent", on=page, intent=intent)
        assert (done.status_code, done.headers["location"]) == (303, page)
        assert f"a person says: {intent.replace('_', ' ')}" in (await ann.get(page)).text
    found = await kept(desk)
    assert len(found) == before + 1
    assert found[-1].model_dump() == {
        "text": "Parcels leave within a day.",
        "language": "en",
        "guessed": "order_status",
        "intent": "unknown",
        "model_version": "1",
    }
    async with desk.installation.container.database.read() as uow:
        events = [entry for entry in await uow.audit.of(run) if entry.event == "intent_corrected"]
    assert [entry.data["intent"] for entry in events] == ["refund_request", "unknown"]


async def test_nobody_below_an_approver_and_no_made_up_intent(desk: Desk) -> None:
    ann, vic, (run, page) = await desk.browser(), await desk.browser(Role.VIEWER), await run_of(desk)
    before = await kept(desk)
    assert "Keep as an example" not in (await vic.get(page)).text
    on = "/console/account/slack"
    assert (await vic.post(f"/console/runs/{run}/intent", on=on, intent="unknown")).status_code == 403
    assert (await ann.post(f"/console/runs/{run}/intent", on=page, intent="<b>")).status_code == 422
    assert (await ann.post(f"/console/runs/{run}/intent", on=page, intent="")).status_code == 422
    assert (await ann.post(f"/console/runs/{uuid4()}/intent", on=page, intent="unknown")).status_code == 404
    forged = await ann.client.post(f"/console/runs/{run}/intent", data={"csrf": "x", "intent": "unknown"})
    assert forged.status_code == 403
    assert await kept(desk) == before


async def test_over_rest_a_person_may_and_a_token_may_not(desk: Desk) -> None:
    installation, (run, _) = desk.installation, await run_of(desk)
    path, body = f"/v1/runs/{run}/intent", {"intent": "refund_request"}
    token = await installation.token(Scope.READ)
    assert (await installation.client.put(path, json=body, headers=token)).json()["code"] == "person_needed"
    mia = await installation.sign_in(Role.APPROVER)
    done = await installation.client.put(path, json=body, headers=mia)
    assert done.json() == {"run_id": str(run), "guessed": "order_status", "intent": "refund_request"}
    unknown = await installation.client.put(path, json={"intent": "made_up"}, headers=mia)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid")
    assert "order_status" in unknown.json()["detail"]


async def test_what_was_corrected_is_exported_and_trained_on(tmp_path: Path) -> None:
    command = CommandLine(tmp_path / "data")
    async with open_desk(command.data) as desk:
        ann, (run, page) = await desk.browser(), await run_of(desk)
        assert (await ann.post(f"/console/runs/{run}/intent", on=page, intent="thanks")).status_code == 303
    rows = [{"text": f"{words} {number}", "intent": name} for name, words in TOPICS.items() for number in range(6)]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = tmp_path / "corrections.jsonl"
    done = command("intents", "export", "--format", "alpaca", "--out", str(out))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (entry,) = [json.loads(each) for each in out.read_text(encoding="utf-8").splitlines()]
    assert (entry["input"], entry["output"]) == ("Parcels leave within a day.", "thanks")
    assert "order_status" in entry["instruction"]
    assert out.stat().st_mode & 0o077 == 0
    wrong = command("intents", "export", "--format", "xml")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "sharegpt" in wrong.stderr
    trained = command("intents", "train", "--data", str(tmp_path / "own.jsonl"), "--with-corrections")
    assert trained.returncode == 0, trained.stderr
    assert "3 classes" in trained.stdout  # the third is the corrected one
    assert "1 corrections" in trained.stderr


TOPICS = {"parcel": "where is my parcel", "refund": "give my money back"}

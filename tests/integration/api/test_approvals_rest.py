"""Deciding, editing and taking back over REST, from a signed message to a scheduled execution."""

import hashlib
from typing import Any

from api.auth import Scope
from support_agents.domain.approval import Role
from tests.fixtures.installation import Installation, event


async def request(installation: Installation) -> dict[str, Any]:
    """Send a message that can be answered from the shop's articles and return its approval request."""
    async with installation.working():
        await installation.keeper_ready()
        await installation.send(event(text="How long do I have to return an item?"))
        await installation.settled()
    read = await installation.token(Scope.READ)
    listed = (await installation.client.get("/v1/approvals", headers=read)).json()
    assert len(listed["items"]) == 1, listed
    found: dict[str, Any] = listed["items"][0]
    return found


async def test_a_person_approves_exact_bytes_and_a_token_takes_them_back(installation: Installation) -> None:
    asked = await request(installation)
    assert hashlib.sha256(asked["canonical"].encode()).hexdigest() == asked["digest"]
    client, path = installation.client, f"/v1/approvals/{asked['id']}/decisions"
    mia = await installation.sign_in(Role.APPROVER)
    wrong = await client.post(path, json={"decision": "approve", "digest": "0" * 64}, headers=mia)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "digest_mismatch")
    viewer = await installation.sign_in(Role.VIEWER)
    yes = {"decision": "approve", "digest": asked["digest"]}
    assert (await client.post(path, json=yes, headers=viewer)).json()["code"] == "not_allowed"
    decided = await client.post(path, json=yes, headers=mia)
    assert decided.status_code == 201, decided.text
    assert decided.json()["status"] == "approved"
    other = await client.post(path, json=yes, headers=await installation.sign_in(Role.MANAGER))
    assert (other.status_code, other.json()["code"]) == (409, "already_decided")
    assert "approver@support.example" in other.json()["detail"]
    execution = decided.json()["execution_id"]
    cancel = await installation.token(Scope.CANCEL)
    taken_back = await client.post(f"/v1/executions/{execution}/cancel", headers=cancel)
    assert taken_back.json() == {"execution_id": execution, "status": "cancelled"}
    again = await client.post(f"/v1/executions/{execution}/cancel", headers=cancel)
    assert (again.status_code, again.json()["code"]) == (409, "too_late")
    ticket = (await client.get(f"/v1/tickets/{asked['ticket_id']}", headers=mia)).json()["ticket"]
    assert "taken back" in ticket["needs_person_reason"]


async def test_an_edit_is_checked_and_takes_the_old_requests_place(local_installation: Installation) -> None:
    installation = local_installation
    asked = await request(installation)
    client, mia = installation.client, await installation.sign_in()
    read = await installation.token(Scope.READ)
    path = f"/v1/approvals/{asked['id']}/edits"
    text = "Hello Anna,\n\nthank you for your message. A colleague will answer you today."
    stale = await client.post(path, json={"text": text, "digest": "0" * 64}, headers=mia)
    assert stale.json()["code"] == "digest_mismatch", stale.text
    edited = await client.post(path, json={"text": text}, headers=mia)
    assert edited.status_code == 201, edited.text
    assert edited.json()["digest"] != asked["digest"]
    old = (await client.get(f"/v1/approvals/{asked['id']}", headers=read)).json()
    new = (await client.get(f"/v1/approvals/{edited.json()['request_id']}", headers=read)).json()
    assert (old["status"], new["status"], new["supersedes_id"]) == ("superseded", "pending", asked["id"])


async def test_rejecting_returns_the_ticket_to_people(local_installation: Installation) -> None:
    installation = local_installation
    asked = await request(installation)
    mia = await installation.sign_in()
    no = {"decision": "reject", "digest": asked["digest"], "reason": "wrong tone"}
    answer = await installation.client.post(f"/v1/approvals/{asked['id']}/decisions", json=no, headers=mia)
    assert (answer.status_code, answer.json()["status"]) == (201, "rejected")
    shown = (await installation.client.get(f"/v1/tickets/{asked['ticket_id']}", headers=mia)).json()
    assert "wrong tone" in shown["ticket"]["needs_person_reason"]
    assert shown["requests"][0]["decisions"][0]["by"] == "Approver"

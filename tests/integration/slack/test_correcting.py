"""What a message was about, said from Slack: kept once, in the person's name, as from the console; no more moves."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import update

from api.correcting import Correcting
from approvals.adapters.slack.channel import SlackMessenger
from approvals.adapters.slack.naming import Callback, Target, Verb, metadata_of, named, value_of
from approvals.card import Card
from approvals.corrections import DeskCorrections
from approvals.modals import CorrectModal, MoreModal, NoticeModal
from db.base import table_of
from db.models.approvals import ApprovalRequestRow
from db.repositories.audit import AuditEntry
from db.repositories.intent_corrections import CORRECTIONS, RUNS
from support_agents.domain.approval import RequestStatus, Role
from support_agents.domain.ids import RequestId, RunId, new_id
from tests.fixtures.slack import SlackPerson, Workspace, chosen, has_button
from tests.integration.slack.test_deciding import status
from tests.integration.slack.test_linking import count_of
from tests.peers.slack_limits import view_problems
from tests.peers.slack_server import BOT_TOKEN, serve_slack

pytestmark = pytest.mark.asyncio(loop_scope="module")
REQUESTS = table_of(ApprovalRequestRow)


@dataclass(frozen=True)
class Kept:
    """What is stored of a run's message, and what the audit says of it."""

    rows: list[dict[str, Any]]
    events: list[AuditEntry]


async def run_of(slack: Workspace, request: RequestId) -> RunId:
    async with slack.desk.installation.container.database.read() as uow:
        found = await uow.approvals.get(request)
    assert found is not None
    return found.run_id


async def kept(slack: Workspace, request: RequestId) -> Kept:
    run = await run_of(slack, request)
    async with slack.desk.installation.container.database.read() as uow:
        rows = await uow.session.execute(CORRECTIONS.select().where(CORRECTIONS.c.run_id == run))
        events = [entry for entry in await uow.audit.of(run) if entry.event == "intent_corrected"]
        return Kept([dict(row) for row in rows.mappings()], events)


async def asked(slack: Workspace, person: SlackPerson, card: Card) -> tuple[str, CorrectModal]:
    """Open what stands behind a card, and from there the form."""
    await slack.press(person, card, Verb.MORE)
    view, more = slack.form()
    assert isinstance(more, MoreModal)
    await slack.press_modal(person, view, Verb.CORRECT)
    modal = slack.messenger.modals[view][-1]
    assert isinstance(modal, CorrectModal), modal
    return view, modal


async def sent(slack: Workspace, person: SlackPerson, card: Card, intent: str) -> dict[str, Any]:
    """Send a form about a card, whether or not it could be opened."""
    installation, target = slack.door.installation, Target(card.request_id, card.digest)
    answer = await slack.interact(
        {
            "type": "view_submission",
            "team": {"id": person.team},
            "user": {"id": person.user, "team_id": person.home_team},
            "trigger_id": f"trigger-{next(slack.numbers)}",
            "view": {
                "id": "V0",
                "type": "modal",
                "hash": "1",
                "callback_id": named(installation, Callback.CORRECT),
                "private_metadata": metadata_of(installation, target),
                "state": {"values": {"intent": chosen(intent)}},
            },
        }
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@contextmanager
def knowing(slack: Workspace, *intents: str) -> Iterator[None]:
    """Let another intent model be in use, here and at the console."""
    clicks = slack.clicks
    before = clicks.corrections
    database = slack.desk.installation.container.database
    object.__setattr__(clicks, "corrections", DeskCorrections(database, Correcting(database, intents)))
    try:
        yield
    finally:
        object.__setattr__(clicks, "corrections", before)


async def test_it_is_kept_in_ones_name_and_nothing_is_decided_or_changed(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    card = await slack.read(request)
    assert not has_button(slack.blocks.message(card), Verb.CORRECT), "the card itself stays as short as it was"
    view, modal = await asked(slack, ben, card)
    assert (modal.present, modal.guessed, modal.left) == ("order_status", "order_status", 0)
    assert modal.intents[0] == "order_status"
    assert set(modal.intents) == set(slack.desk.installation.container.correcting.known)
    answer = (await slack.submit(ben, view, {"intent": chosen("refund_request")})).json()
    assert answer["response_action"] == "update"
    assert "refund request" in str(answer["view"]["blocks"])
    found, person = await kept(slack, request), await slack.as_person(ben)
    (row,) = found.rows
    assert (row["intent"], row["guessed"], row["model_version"]) == ("refund_request", "order_status", "1")
    assert (row["text"], row["operator_id"]) == ("Parcels leave within a day.", person.operator_id)
    (event,) = found.events
    assert (event.actor, event.data) == (
        str(person.operator_id),
        {"guessed": "order_status", "intent": "refund_request"},
    )
    after = await slack.read(request)
    assert after.fingerprint == card.fingerprint
    assert await status(slack, request) is RequestStatus.PENDING
    _, again = await asked(slack, ben, card)
    assert (again.present, again.guessed) == ("refund_request", "order_status"), "what a person said is chosen now"


async def test_a_form_sent_twice_and_two_at_once_are_one_correction(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    card = await slack.read(request)
    told = await asyncio.gather(*(sent(slack, ben, card, "thanks") for _ in range(4)))
    assert {each["response_action"] for each in told} == {"update"}
    found = await kept(slack, request)
    assert (len(found.rows), len(found.events)) == (1, 1)
    eva = await slack.person()
    await sent(slack, eva, card, "thanks")
    await sent(slack, ben, card, "unknown")
    found = await kept(slack, request)
    assert [row["intent"] for row in found.rows] == ["unknown"], "the newest answer counts"
    assert [event.data["intent"] for event in found.events] == ["thanks", "thanks", "unknown"]
    assert len({event.actor for event in found.events[:2]}) == 2


async def test_whoever_may_not_approve_is_not_asked_and_is_refused(slack: Workspace) -> None:
    request, vic = await slack.desk.reply(), await slack.person(Role.VIEWER)
    card = await slack.read(request)
    await slack.press(vic, card, Verb.MORE)
    view, more = slack.form()
    assert isinstance(more, MoreModal)
    assert not has_button(slack.blocks.view(more), Verb.CORRECT)
    forged = {"action_id": named(slack.door.installation, Verb.CORRECT)}
    value = value_of(Target(request, card.digest))
    await slack.click(vic, forged | {"value": value}, view={"id": view, "type": "modal", "hash": "1"})
    refused = slack.messenger.modals[view][-1]
    assert isinstance(refused, NoticeModal)
    assert "needs the role approver" in refused.lines[0]
    answer = await sent(slack, vic, card, "thanks")
    assert answer == {
        "response_action": "errors",
        "errors": {"intent": "This needs the role approver, not viewer"},
    }
    assert await kept(slack, request) == Kept([], [])


async def test_strangers_and_people_of_other_organisations_are_refused_on_record(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    eve, guest = await slack.person(linked=False), SlackPerson(ben.user, ben.team, home_team="T0OTHER")
    card = await slack.read(request)
    before = [await count_of(slack, event) for event in ("slack.not_linked", "slack.foreign")]
    assert "not linked to anybody here" in (await sent(slack, eve, card, "thanks"))["errors"]["intent"]
    assert "other organisations" in (await sent(slack, guest, card, "thanks"))["errors"]["intent"]
    after = [await count_of(slack, event) for event in ("slack.not_linked", "slack.foreign")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]
    assert await kept(slack, request) == Kept([], [])


async def test_what_cannot_be_kept_is_said_in_one_sentence_in_the_form(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    card = await slack.read(request)
    strange = card.model_copy(update={"request_id": RequestId(new_id())})
    other = card.model_copy(update={"digest": "0" * 64})
    for about, intent, why in (
        (strange, "thanks", "There is no such request"),
        (other, "thanks", "This is not the version that the card shows; look at it again"),
        (card, "made_up", "This intent is not in use any more: open the form again and choose another"),
        (card, "", "This intent is not in use any more: open the form again and choose another"),
    ):
        told = await sent(slack, ben, about, intent)
        assert told == {"response_action": "errors", "errors": {"intent": why}}
    assert await kept(slack, request) == Kept([], [])


async def test_an_intent_that_went_out_of_use_while_the_form_was_open(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    view, modal = await asked(slack, ben, await slack.read(request))
    assert "thanks" in modal.intents
    with knowing(slack, "delivery", "unknown"):
        answer = (await slack.submit(ben, view, {"intent": chosen("thanks")})).json()
        assert "not in use any more" in answer["errors"]["intent"]
        _, newer = await asked(slack, ben, await slack.read(request))
    assert newer.intents == ("delivery", "unknown")
    (block, *_) = slack.blocks.view(newer)["blocks"]
    assert "initial_option" not in block["element"], "the model of then knew another intent than that of now"
    assert await kept(slack, request) == Kept([], [])


async def test_a_run_that_is_gone_leaves_nothing_to_learn_from(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    card, run = await slack.read(request), await run_of(slack, request)
    view, _ = await asked(slack, ben, card)
    database = slack.desk.installation.container.database
    async with database.write("gone") as uow:
        await uow.session.execute(update(RUNS).where(RUNS.c.id == run).values(status="open"))
    try:
        answer = (await slack.submit(ben, view, {"intent": chosen("thanks")})).json()
    finally:
        async with database.write("back") as uow:
            await uow.session.execute(update(RUNS).where(RUNS.c.id == run).values(status="finished"))
    assert answer["errors"] == {"intent": "The run behind this card is gone: there is nothing to learn from"}
    assert await kept(slack, request) == Kept([], [])


@pytest.mark.parametrize("ended", [RequestStatus.EXPIRED, RequestStatus.SUPERSEDED])
async def test_a_request_that_is_over_stays_over_and_its_message_is_still_an_example(
    slack: Workspace, ended: RequestStatus
) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    async with slack.desk.installation.container.database.write("over") as uow:
        await uow.session.execute(update(REQUESTS).where(REQUESTS.c.id == request).values(status=ended))
    view, _ = await asked(slack, ben, await slack.read(request))
    answer = (await slack.submit(ben, view, {"intent": chosen("thanks")})).json()
    assert "stay as they are" in str(answer["view"]["blocks"])
    assert await status(slack, request) is ended
    assert len((await kept(slack, request)).rows) == 1


async def test_more_intents_than_a_list_holds_come_the_likeliest_first(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    names = [f"intent_{at:03}_{'of_a_long_name_' * 5}" for at in range(150)]
    with knowing(slack, "order_status", "zebra", *names, "much_too_long_" * 10):
        assert (await sent(slack, ben, await slack.read(request), "zebra"))["response_action"] == "update"
        _, modal = await asked(slack, ben, await slack.read(request))
    assert (len(modal.intents), modal.left) == (100, 52)
    assert modal.intents[:3] == ("zebra", "order_status", names[0])
    drawn = slack.blocks.view(modal)
    assert view_problems(drawn) == []
    assert len(drawn["private_metadata"]) < 3_000
    assert drawn["blocks"][0]["element"]["initial_option"]["value"] == "zebra"
    assert "52 more intents" in str(drawn["blocks"])


async def test_over_the_wire_slack_takes_each_form_and_no_trigger_is_needed_for_the_second(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    card, answers = await slack.read(request), slack.clicks.answers
    async with serve_slack() as server:
        messenger = SlackMessenger.open(BOT_TOKEN, installation=slack.door.installation, base_url=server.api_url)
        object.__setattr__(slack.clicks, "answers", replace(answers, messenger=messenger))
        try:
            more = {"action_id": named(slack.door.installation, Verb.MORE), "value": value_of(_about(card))}
            await slack.interact(_clicked(ben, more, server.trigger(), {}))
            ((view, shown),) = server.views.items()
            correct = more | {"action_id": named(slack.door.installation, Verb.CORRECT)}
            form = {"view": {"id": view, "type": "modal", "hash": shown.hash}}
            await slack.interact(_clicked(ben, correct, "a trigger that has run out", form))
        finally:
            object.__setattr__(slack.clicks, "answers", answers)
            await messenger.close()
    assert server.refusals == []
    assert [name for name, _ in server.calls] == ["views.open", "views.update"]
    assert [named(slack.door.installation, each) for each in (Callback.MORE, Callback.CORRECT)] == [
        state["callback_id"] for state in shown.states
    ]


def _about(card: Card) -> Target:
    return Target(card.request_id, card.digest)


def _clicked(person: SlackPerson, action: dict[str, str], trigger: str, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": person.team},
        "user": {"id": person.user, "team_id": person.team},
        "container": {"type": "view" if more else "message", "channel_id": "C1", "message_ts": "1.1"},
        "trigger_id": trigger,
        "actions": [{"type": "button", "block_id": "b", **action}],
        **more,
    }

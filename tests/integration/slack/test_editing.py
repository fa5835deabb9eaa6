"""Edits from Slack: a skeleton at once, then the text; checks before approval; overtaken words are kept."""

from datetime import timedelta

import pytest

from approvals.adapters.slack.naming import Verb
from approvals.card import Notice
from approvals.messaging import Replacing
from approvals.messenger_routing import Group
from approvals.modals import CheckedModal, EditModal, LoadingModal, NoticeModal, PassOnModal
from db.repositories.reviewing import EDITS
from support_agents.domain.approval import RequestStatus
from support_agents.domain.ids import RequestId
from tests.fixtures.slack import SlackPerson, Workspace, chosen, typed
from tests.integration.slack.test_deciding import status

pytestmark = pytest.mark.asyncio(loop_scope="module")

EDITED = "Dear Anna,\n\nParcels leave within a day."


async def opened(slack: Workspace, person: SlackPerson, request: RequestId) -> tuple[str, EditModal]:
    await slack.press(person, await slack.read(request), Verb.EDIT)
    view, modal = slack.form()
    assert isinstance(modal, EditModal), modal
    return view, modal


async def test_a_skeleton_comes_first_and_then_the_exact_text(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    view, modal = await opened(slack, ben, request)
    assert isinstance(slack.messenger.modals[view][0], LoadingModal)
    card = await slack.read(request)
    assert card.letter is not None
    assert (modal.text, modal.digest) == (card.letter.text, card.digest)


async def test_an_edit_is_checked_shown_and_only_then_approved_as_new_bytes(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    view, _ = await opened(slack, ben, request)
    answer = (await slack.submit(ben, view, {"text.0": typed(EDITED)})).json()
    assert answer["response_action"] == "update"
    assert await status(slack, request) is RequestStatus.SUPERSEDED
    shown = answer["view"]
    approve = next(e for b in shown["blocks"] for e in b.get("elements", ()) if ":approve" in e.get("action_id", ""))
    new = RequestId(type(request)(approve["value"].partition(".")[0]))
    assert await status(slack, new) is RequestStatus.PENDING
    await slack.click(ben, {"action_id": approve["action_id"], "value": approve["value"]},
                      view={"id": view, "type": "modal", "hash": str(len(slack.messenger.modals[view])),
                            "callback_id": shown["callback_id"]})  # fmt: skip
    assert await status(slack, new) is RequestStatus.APPROVED
    card = await slack.read(new)
    assert card.letter is not None
    assert card.letter.text == EDITED
    last = slack.messenger.modals[view][-1]
    assert isinstance(last, NoticeModal)
    assert "Approved" in last.lines[0]


async def test_every_edit_is_kept_as_a_diff_that_nobody_changes(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    view, _ = await opened(slack, ben, request)
    await slack.submit(ben, view, {"text.0": typed(EDITED)})
    database = slack.desk.installation.container.database
    async with database.read() as uow:
        (edit,) = await uow.reviewing.edits(request)
    assert "-your parcel left on Monday." in edit.diff
    assert "+Parcels leave within a day." in edit.diff
    refused = ""
    try:
        async with database.write("tamper") as uow:
            await uow.session.execute(EDITS.update().values(diff=""))
    except Exception as error:  # noqa: BLE001 - each database refuses in its own way
        refused = str(error)
    assert "insert-only" in refused


async def test_a_long_reply_is_edited_in_several_inputs(slack: Workspace) -> None:
    long = "Dear Anna,\n\n" + "\n\n".join(f"Paragraph {n}: parcels leave within a day." for n in range(200))
    request, ben = await slack.desk.reply(long), await slack.person()
    view, modal = await opened(slack, ben, request)
    drawn = slack.blocks.view(modal)
    inputs = [block for block in drawn["blocks"] if block["type"] == "input"]
    assert len(inputs) > 2
    values = {block["block_id"]: typed(block["element"].get("initial_value", "")) for block in inputs}
    last = inputs[-1]["block_id"]
    values[last] = typed(values[last]["input"]["value"] + "\n\nThe end.")
    answer = (await slack.submit(ben, view, values)).json()
    approve = next(e for b in answer["view"]["blocks"] for e in b.get("elements", ()) if "action_id" in e)
    card = await slack.read(RequestId(type(request)(approve["value"].partition(".")[0])))
    assert card.letter is not None
    assert card.letter.text == long + "\n\nThe end."


async def test_who_approves_while_another_edits_wins_and_the_words_are_kept(slack: Workspace) -> None:
    request, ben, eva = await slack.desk.reply(), await slack.person(name="ben"), await slack.person(name="eva")
    view, _ = await opened(slack, ben, request)
    slack.still(timedelta())
    await slack.press(eva, await slack.read(request), Verb.APPROVE)
    answer = (await slack.submit(ben, view, {"text.0": typed(EDITED)})).json()
    said = str(answer["view"]["blocks"])
    assert "was first" in said
    assert "words are kept" in said
    assert await status(slack, request) is RequestStatus.APPROVED


async def test_superseding_keeps_the_unsent_edit_for_the_newer_version(slack: Workspace) -> None:
    request, ben, eva = await slack.desk.reply(), await slack.person(name="ben"), await slack.person(name="eva")
    view, _ = await opened(slack, ben, request)
    other, _ = await opened(slack, eva, request)
    await slack.submit(eva, other, {"text.0": typed("Dear Anna,\n\nParcels leave within a day. – Eva")})
    answer = (await slack.submit(ben, view, {"text.0": typed(EDITED)})).json()
    assert "newer version" in str(answer["view"]["blocks"])
    async with slack.desk.installation.container.database.read() as uow:
        (newer,) = await uow.approvals.open_on(await slack.desk.ticket_of(request))
    _, modal = await opened(slack, ben, newer.id)
    assert modal.text == EDITED
    assert "had typed" in modal.note
    _, hers = await opened(slack, eva, newer.id)
    assert hers.text.endswith("Eva")


async def test_one_tap_alternatives_make_a_new_version(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    view, modal = await opened(slack, ben, request)
    assert "pass_on" in modal.alternatives
    assert "shorter" not in modal.alternatives  # one sentence is as short as it gets
    await slack.press_modal(ben, view, Verb.ALTERNATIVE, "pass_on")
    assert await status(slack, request) is RequestStatus.REJECTED
    async with slack.desk.installation.container.database.read() as uow:
        ticket = await uow.tickets.get(await slack.desk.ticket_of(request))
    assert ticket is not None
    assert "another group" in (ticket.needs_person_reason or "")


async def test_a_ticket_is_passed_to_one_of_the_groups_and_its_channel_is_told(slack: Workspace) -> None:
    groups = (Group(name="Returns", channel="C0RETURNS"), Group(name="Accounts"))
    before = slack.clicks.groups
    object.__setattr__(slack.clicks, "groups", groups)
    try:
        request, ben = await slack.desk.reply(), await slack.person()
        view, _ = await opened(slack, ben, request)
        await slack.press_modal(ben, view, Verb.ALTERNATIVE, "pass_on")
        modal = slack.messenger.modals[view][-1]
        assert isinstance(modal, PassOnModal)
        assert modal.groups == ("Returns", "Accounts")
        assert await status(slack, request) is RequestStatus.PENDING
        refused = (await slack.submit(ben, view, {"group": chosen("Nobody")})).json()
        assert "choose one of the groups" in str(refused).lower()
        assert await status(slack, request) is RequestStatus.PENDING
        await slack.submit(ben, view, {"group": chosen("Returns")})
    finally:
        object.__setattr__(slack.clicks, "groups", before)
    assert await status(slack, request) is RequestStatus.REJECTED
    async with slack.desk.installation.container.database.read() as uow:
        ticket = await uow.tickets.get(await slack.desk.ticket_of(request))
    assert ticket is not None
    assert ticket.needs_person_reason == "rejected: passed on to Returns"
    (told,) = [shown.now for shown in slack.messenger.messages.values() if shown.ref.place.id == "C0RETURNS"]
    assert isinstance(told, Notice)
    assert told.lines == ("Passed on to Returns: reply to Anna: My order",)


async def test_after_a_rejection_the_next_request_comes_in_place(slack: Workspace) -> None:
    first, second = await slack.desk.reply(), await slack.desk.reply()
    ben = await slack.person()
    await slack.command(ben, "next")
    assert slack.card().request_id == first
    await slack.press(ben, slack.card(), Verb.REJECT, whispered=True)
    view, _ = slack.form()
    await slack.submit(ben, view, {"reason": chosen("other")})
    assert await status(slack, first) is RequestStatus.REJECTED
    assert slack.card().request_id == second
    assert slack.messenger.answers[-1][2] is Replacing.ORIGINAL


async def test_money_has_no_text_to_edit(slack: Workspace) -> None:
    refund, ben = await slack.desk.refund(), await slack.person()
    reply = await slack.read(await slack.desk.reply())
    forged = reply.model_copy(update={"request_id": refund, "digest": (await slack.read(refund)).digest})
    await slack.press(ben, forged, Verb.EDIT)
    _, modal = slack.form()
    assert isinstance(modal, NoticeModal)
    assert "cannot be edited" in modal.lines[0]
    assert not isinstance(modal, CheckedModal)

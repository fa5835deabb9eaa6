"""Batch sheets: one template and policy version, only verified slots differ; one decision and digest a row."""

from datetime import date, timedelta
from typing import Any

import pytest

from approvals.adapters.slack.naming import Verb
from approvals.card import Notice, Sheet
from approvals.desk import STILL
from db.repositories.approvals import Decision
from support_agents.domain.approval import RequestStatus
from support_agents.domain.ids import RequestId
from support_agents.domain.sections import Verdict
from tests.benchmarks.phone import SCREEN, height_of
from tests.fixtures.approvals import ORDER
from tests.fixtures.slack import SlackPerson, Workspace, button
from tests.integration.slack.test_deciding import status

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "Dear Anna,\n\nyour order {order} with the {item} has left."


async def alike(slack: Workspace, number: int, *, text: str = TEXT, item: str = "Kettle", **given: Any) -> RequestId:
    """A reply that differs from its like in the order's number and item only."""
    order = ORDER.model_copy(update={"order_id": f"A-{2000 + number}", "item": item, "shipped_on": date(2026, 11, 20)})
    return await slack.desk.reply(text.format(order=order.order_id, item=item), order=order, **given)


async def shown(slack: Workspace, person: SlackPerson, command: str = "batch") -> Sheet:
    await slack.command(person, command)
    sheet = slack.shown()
    assert isinstance(sheet, Sheet), sheet
    return sheet


async def approve(slack: Workspace, person: SlackPerson, sheet: Sheet, *, untick: tuple[RequestId, ...] = ()) -> None:
    slack.still(timedelta())
    await tap(slack, person, sheet, untick=untick)


async def tap(slack: Workspace, person: SlackPerson, sheet: Sheet, *, untick: tuple[RequestId, ...] = ()) -> None:
    drawn = slack.blocks.message(sheet)
    boxes = [e | {"block": b["block_id"]} for b in drawn["blocks"] for e in b.get("elements", ()) if "options" in e]
    values = {
        box["block"]: {
            box["action_id"]: {
                "type": "checkboxes",
                "selected_options": [
                    option for option in box["options"] if option["value"][:36] not in {str(each) for each in untick}
                ],
            }
        }
        for box in boxes
    }
    await slack.click(person, button(drawn, Verb.BATCH_APPROVE), state={"values": values}, whispered=True)


async def decisions(slack: Workspace, request: RequestId) -> tuple[Decision, ...]:
    async with slack.desk.installation.container.database.read() as uow:
        return await uow.approvals.decisions(request)


async def test_what_differs_in_verified_slots_only_is_approved_by_one_tap(slack: Workspace) -> None:
    requests = [await alike(slack, number, item=item) for number, item in enumerate(("Kettle", "Lamp", "Rug"))]
    ben = await slack.person()
    sheet = await shown(slack, ben)
    assert sheet.text == "Dear {customer.first_name},\n\nyour order {order.order_id} with the {order.item} has left."
    assert [dict(row.slots)["item"] for row in sheet.rows] == ["Kettle", "Lamp", "Rug"]
    await approve(slack, ben, sheet, untick=(requests[1],))
    assert [await status(slack, each) for each in requests] == [
        RequestStatus.APPROVED, RequestStatus.PENDING, RequestStatus.APPROVED,
    ]  # fmt: skip
    first, third = [(await decisions(slack, each))[0] for each in (requests[0], requests[2])]
    assert first.digest != third.digest
    told = slack.shown()
    assert isinstance(told, Notice)
    assert told.lines[0].startswith("2 of 2 approved")
    assert len(slack.directly(ben)) == 1


async def test_a_word_that_no_fact_bears_makes_it_another_template(slack: Workspace) -> None:
    for number in range(2):
        await alike(slack, number)
    other = await alike(slack, 5, text=TEXT + " We are sorry.")
    sheet = await shown(slack, await slack.person())
    assert other not in {row.request_id for row in sheet.rows}
    assert len(sheet.rows) == 2


async def test_money_flags_edits_and_problems_never_stand_on_a_sheet(slack: Workspace) -> None:
    for number in range(2):
        await alike(slack, number)
    flagged = await alike(slack, 3, verdict=Verdict.FLAGGED)
    refund = await slack.desk.refund()
    sheet = await shown(slack, await slack.person())
    assert not {flagged, refund} & {row.request_id for row in sheet.rows}


async def test_a_sheet_is_one_screen_of_a_phone_and_a_long_one_at_most_twenty_rows(slack: Workspace) -> None:
    for number in range(23):
        await alike(slack, number)
    ben = await slack.person()
    sheet = await shown(slack, ben)
    assert 2 < len(sheet.rows) < 20
    assert sheet.left == 20 - len(sheet.rows)
    assert height_of(slack.blocks.message(sheet)) <= SCREEN
    assert len((await shown(slack, ben, "batch long")).rows) == 20


async def test_the_next_sheet_comes_in_place_and_no_second_tap_decides_it(slack: Workspace) -> None:
    requests = [await alike(slack, number) for number in range(12)]
    ben = await slack.person()
    first = await shown(slack, ben)
    await approve(slack, ben, first)
    second = slack.shown()
    assert isinstance(second, Sheet), second
    assert second.note == f"{len(first.rows)} of {len(first.rows)} approved"
    assert not {row.request_id for row in first.rows} & {row.request_id for row in second.rows}
    slack.still(STILL)
    await tap(slack, ben, second)
    assert "came a moment ago" in slack.lines()
    left = set(requests) - {row.request_id for row in first.rows}
    assert {await status(slack, each) for each in left} == {RequestStatus.PENDING}


async def test_after_a_row_was_left_out_no_sheet_shows_it_again_unasked(slack: Workspace) -> None:
    for number in range(12):
        await alike(slack, number)
    ben = await slack.person()
    sheet = await shown(slack, ben)
    await approve(slack, ben, sheet, untick=(sheet.rows[0].request_id,))
    told = slack.shown()
    assert isinstance(told, Notice)
    assert told.lines[0].startswith(f"{len(sheet.rows) - 1} of {len(sheet.rows) - 1} approved")


async def test_a_sheet_is_marked_as_somebodys_like_a_card(slack: Workspace) -> None:
    requests = [await alike(slack, number) for number in range(2)]
    ben, eva = await slack.person(name="ben"), await slack.person(name="eva")
    await shown(slack, ben)
    assert (await slack.read(requests[0])).claimed_by == ben.user.lower()
    await slack.command(eva, "batch")
    assert "no two replies are alike" in slack.lines().lower()


async def test_a_sheet_names_the_macro_and_its_version(slack: Workspace) -> None:
    for number, version in enumerate(["shipped/due@1f2e3d4c", "shipped/due@99999999"] * 2):
        await alike(slack, number, macro=version)
    sheet = await shown(slack, await slack.person())
    assert sheet.version in {"shipped/due@1f2e3d4c", "shipped/due@99999999"}
    assert len(sheet.rows) == 2


async def test_one_alone_is_no_batch(slack: Workspace) -> None:
    await alike(slack, 1)
    await slack.command(await slack.person(), "batch")
    assert "no two replies are alike" in slack.lines().lower()


async def test_a_row_decided_meanwhile_is_told_and_the_others_go_through(slack: Workspace) -> None:
    requests = [await alike(slack, number) for number in range(3)]
    ben, eva = await slack.person(), await slack.person()
    sheet = await shown(slack, ben)
    await slack.press(eva, await slack.read(requests[0]), Verb.APPROVE)
    await approve(slack, ben, sheet)
    told = slack.shown()
    assert isinstance(told, Notice)
    assert told.lines[0].startswith("2 of 3 approved")
    assert "was first" in told.lines[1]


async def test_a_sheet_with_a_row_smuggled_in_approves_nothing(slack: Workspace) -> None:
    requests = [await alike(slack, number) for number in range(2)]
    strange = await slack.desk.reply("Dear Anna,\n\nwe give you all your money back.")
    ben = await slack.person()
    sheet = await shown(slack, ben)
    card = await slack.read(strange)
    row = sheet.rows[0].model_copy(update={"request_id": strange, "digest": card.digest})
    await approve(slack, ben, sheet.model_copy(update={"rows": (*sheet.rows, row)}))
    assert [await status(slack, each) for each in (*requests, strange)] == [RequestStatus.PENDING] * 3
    assert "look of its own" in slack.lines()

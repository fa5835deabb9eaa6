"""Who is who in Slack: linked by a code from the console, by ids and never by a name, until it is ended."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from approvals.adapters.slack.naming import Verb
from approvals.ports import Surface
from db.models.slack import LinkEnd
from db.repositories.slack import CODES, LINKS
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.slack import SlackPerson, Workspace
from tests.integration.slack.test_deciding import execution, next_card, status

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def audited(slack: Workspace, event: str) -> list[dict[str, str]]:
    async with slack.desk.installation.container.database.read() as uow:
        found = [
            entry
            for subject in (DEFAULT_WORKSPACE, *(each.id for each in await uow.operators.all(DEFAULT_WORKSPACE)))
            for entry in await uow.audit.of(subject)
        ]
    return [dict(entry.data) for entry in found if entry.event == event]


async def count_of(slack: Workspace, event: str) -> int:
    return len(await audited(slack, event))


async def test_a_linked_account_acts_with_a_session_of_its_own_and_the_role_of_the_moment(slack: Workspace) -> None:
    ben = await slack.person(Role.APPROVER)
    person = await slack.as_person(ben)
    assert (person.role, person.surface) == (Role.APPROVER, Surface.SLACK)
    async with slack.desk.installation.container.database.read() as uow:
        assert await uow.approvals.is_present(person.operator_id, person.session_id, Role.APPROVER)
        assert not await uow.approvals.is_present(person.operator_id, person.session_id, Role.ADMIN)


async def test_strangers_get_a_clear_refusal_and_an_audit_row(slack: Workspace) -> None:
    request, eve = await slack.desk.reply(), await slack.person(linked=False)
    await slack.press(eve, await slack.read(request), Verb.APPROVE)
    assert "not linked" in slack.lines()
    assert "/support link CODE" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING
    assert {"team": eve.team, "user": eve.user, "enterprise": ""} in await audited(slack, "slack.not_linked")


async def test_a_code_works_once_and_for_ten_minutes(slack: Workspace) -> None:
    operator = await slack.operator(Role.APPROVER)
    before, code = await count_of(slack, "slack.code_refused"), await slack.code(operator)
    first, second = await slack.person(linked=False), await slack.person(linked=False)
    await slack.command(first, f"link {code.lower().replace('-', ' - ')}")
    assert "linked: from now on" in slack.lines().lower()
    await slack.command(second, f"link {code}")
    assert "wrong, was used, or is older" in slack.lines()
    late = await slack.code(operator)
    async with slack.desk.installation.container.database.write("time") as uow:
        await uow.session.execute(update(CODES).values(expires_at=await uow.now() - timedelta(seconds=1)))
    await slack.command(second, f"link {late}")
    assert "wrong, was used, or is older" in slack.lines()
    assert await count_of(slack, "slack.code_refused") - before == 2


async def test_only_a_console_session_makes_codes(slack: Workspace) -> None:
    person = await slack.as_person(await slack.person())
    with pytest.raises(SupportError) as caught:
        await slack.clicks.linking.make_code(person)
    assert caught.value.code == "person_needed"


async def test_a_changed_role_or_a_switched_off_person_ends_the_link_and_says_so(slack: Workspace) -> None:
    request = await slack.desk.reply()
    ben, eva = await slack.person(), await slack.person()
    people = [await slack.as_person(each) for each in (ben, eva)]
    async with slack.desk.installation.container.database.write("people") as uow:
        await uow.operators.set_role(people[0].operator_id, Role.ADMIN)
        await uow.operators.disable(people[1].operator_id)
    await slack.press(ben, await slack.read(request), Verb.APPROVE)
    assert "link has ended" in slack.lines()
    await slack.press(eva, await slack.read(request), Verb.APPROVE)
    assert "switched off" in slack.lines()
    assert await count_of(slack, "slack.link_ended") == 2
    assert await status(slack, request) is RequestStatus.PENDING


async def test_people_of_other_organisations_are_refused_even_with_the_same_id(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    guest = SlackPerson(ben.user, ben.team, home_team="T0OTHER")
    await slack.press(guest, await slack.read(request), Verb.APPROVE)
    assert "other organisations" in slack.lines()
    elsewhere = SlackPerson(ben.user, "T0OTHER", home_team="T0OTHER")
    await slack.press(elsewhere, await slack.read(request), Verb.APPROVE)
    assert "not linked" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING


async def test_in_an_enterprise_grid_a_person_is_known_in_every_team(slack: Workspace) -> None:
    request = await slack.desk.reply()
    ben = SlackPerson("U0GRID", "T1", "T1", enterprise="E1")
    await slack.link(ben, await slack.operator(Role.APPROVER))
    there, card = SlackPerson("U0GRID", "T2", "T1", enterprise="E1"), await slack.read(request)
    await slack.press(there, card, Verb.APPROVE)
    assert await status(slack, request) is RequestStatus.APPROVED
    stranger = SlackPerson("U0GRID", "T2", "T2", enterprise="E2")
    await slack.press(stranger, card, Verb.APPROVE)
    assert "not linked" in slack.lines()


async def test_the_name_in_a_payload_means_nothing(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    eve = await slack.person(linked=False)
    drawn = slack.blocks.message(await slack.read(request))
    approve = next(e for b in drawn["blocks"] for e in b.get("elements", ()) if ":approve" in e.get("action_id", ""))
    claimed = {"action_id": approve["action_id"], "value": approve["value"], "user": ben.user, "name": "ben"}
    await slack.click(eve, claimed)
    assert await status(slack, request) is RequestStatus.PENDING


async def test_not_me_stops_all_that_the_account_approved_and_freezes_it(slack: Workspace) -> None:
    first, second, third = [await slack.desk.reply() for _ in range(3)]
    ben = await slack.person()
    slack.still(timedelta())
    for _ in range(2):
        await next_card(slack, ben)
        await slack.press(ben, slack.card(), Verb.APPROVE)
    assert await execution(slack, first) is await execution(slack, second) is ExecutionStatus.SCHEDULED
    await slack.press(ben, slack.directly(ben)[0], Verb.NOT_ME)
    assert "2 actions were stopped" in slack.lines()
    assert await execution(slack, first) is await execution(slack, second) is ExecutionStatus.CANCELLED
    await slack.press(ben, await slack.read(third), Verb.APPROVE)
    assert "not linked" in slack.lines()
    assert await status(slack, third) is RequestStatus.PENDING
    async with slack.desk.installation.container.database.read() as uow:
        ended = (await uow.session.execute(LINKS.select().where(LINKS.c.user_id == ben.user))).mappings().one()
    assert ended["ended_reason"] == LinkEnd.FROZEN


async def test_not_me_is_for_ones_own_decisions_only(slack: Workspace) -> None:
    request, ben, eva = await slack.desk.reply(), await slack.person(), await slack.person()
    slack.still(timedelta())
    await slack.press(ben, await slack.read(request), Verb.APPROVE)
    await slack.press(eva, slack.directly(ben)[0], Verb.NOT_ME)
    assert "not yours" in slack.lines()
    assert await execution(slack, request) is ExecutionStatus.SCHEDULED


async def test_unlinking_ends_the_session_and_linking_again_replaces_the_old_link(slack: Workspace) -> None:
    operator = await slack.operator(Role.APPROVER)
    old, new = await slack.person(linked=False), await slack.person(linked=False)
    await slack.link(old, operator)
    before = await slack.as_person(old)
    await slack.link(new, operator)
    with pytest.raises(SupportError):
        await slack.as_person(old)
    async with slack.desk.installation.container.database.read() as uow:
        assert not await uow.approvals.is_present(before.operator_id, before.session_id, before.role)
    await slack.command(new, "unlink")
    with pytest.raises(SupportError):
        await slack.as_person(new)

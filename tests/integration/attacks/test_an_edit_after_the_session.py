"""A person whose session had ended, or whose role had changed, while their edit was checked still replaced a reply."""

import pytest

from approvals.ports import Person
from db.uow import UnitOfWork
from support_agents.domain.approval import RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Rechecked
from support_agents.domain.sections import ComplianceSection, Verdict
from tests.fixtures.approvals import REPLY, Shop

EDIT = Rechecked(text="Dear Anna, yes.", sentences=(), compliance=ComplianceSection(verdict=Verdict.PASS, checks=()))


async def gone(uow: UnitOfWork, person: Person, how: str) -> None:
    match how:
        case "signed out":
            await uow.operators.end_session(person.session_id)
        case "disabled":
            await uow.operators.disable(person.operator_id)
        case _:
            await uow.operators.set_role(person.operator_id, Role.VIEWER)


@pytest.mark.parametrize("how", ["signed out", "disabled", "demoted"])
async def test_it_replaces_nothing(shop: Shop, how: str) -> None:
    (request,) = await shop.proposed(REPLY)
    ben = await shop.person("ben")
    async with shop.database.write("gone") as uow:
        await gone(uow, ben, how)
    digest = (await shop.request(request)).digest
    with pytest.raises(SupportError) as caught:
        await shop.queue.replace(request, digest=digest, rechecked=EDIT, person=ben)
    assert caught.value.code == "not_allowed"
    assert (await shop.request(request)).status is RequestStatus.PENDING

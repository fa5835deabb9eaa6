"""The second factor in the console: set up on a page, asked for in place, and what was typed is kept."""

from datetime import UTC, datetime

import pytest

from support_agents.domain.approval import RequestStatus, Role
from tests.fixtures.console import Desk
from tests.fixtures.factor import enrolled, forget

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_person_sets_it_up_and_is_asked_for_it_in_place(desk: Desk) -> None:
    mia = await desk.browser(Role.MANAGER)
    refused = await mia.post("/console/factor/begin", on="/console/factor", password="not the password")
    assert refused.status_code == 401
    app, codes = await enrolled(mia)
    assert len(codes) == 10
    assert "10 recovery codes are left" in (await mia.get("/console/factor")).text

    request = await desk.refund()
    assert "Code of your authenticator app" not in (await mia.get(f"/console/requests/{request}")).text
    await forget(desk)
    page = (await mia.get(f"/console/requests/{request}")).text
    assert "Code of your authenticator app" in page
    without = await mia.decide(request, "approve")
    assert (without.status_code, await desk.status(request)) == (403, RequestStatus.PENDING)
    wrong = await mia.decide(request, "approve", code="000000")
    assert (wrong.status_code, await desk.status(request)) == (403, RequestStatus.PENDING)
    assert "The code does not fit" in wrong.text
    right = await mia.decide(request, "approve", code=app.at(datetime.now(UTC), counter_offset=1))
    assert (right.status_code, await desk.status(request)) == (303, RequestStatus.APPROVED)


async def test_an_admin_sees_who_has_one_and_resets_anothers(desk: Desk) -> None:
    ada, ann, mia = await desk.browser(Role.ADMIN), await desk.browser(), await desk.browser(Role.MANAGER)
    if "10 recovery codes" not in (await mia.get("/console/factor")).text:
        await enrolled(mia)
    page = (await ada.get("/console/people")).text
    assert "second factor" in page
    assert (await ann.get("/console/people")).status_code == 403
    manager = desk.installation.operators[Role.MANAGER]
    reset = f"/console/people/{manager}/factor/reset"
    assert (await ann.post(reset, on="/console")).status_code == 403
    assert (await ada.post(reset, on="/console/people")).status_code == 303
    assert reset not in (await ada.get("/console/people")).text

"""The managers' page about approving: counts without names by default, and an alarm for missed checks alone."""

from uuid import UUID

import pytest

from api.console.views.approvers import shown_approvers
from db.read_models.approvers import ApproverFigures, Pair, Seeded
from support_agents.domain.approval import Role
from support_agents.domain.ids import OperatorId
from tests.fixtures.console import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEN, EVA = OperatorId(UUID(int=1)), OperatorId(UUID(int=2))
FIGURES = ApproverFigures(
    seeded=Seeded(open=1, caught=4, missed=1, by_person={BEN: (4, 0), EVA: (0, 1)}),
    replies_decided=10,
    replies_edited=3,
    refunds_approved=9,
    with_customers=(Pair(BEN, UUID(int=9), 5, 8), Pair(EVA, UUID(int=9), 2, 2), Pair(EVA, UUID(int=8), 2, 9)),
    with_approvers=(),
)


async def test_the_page_is_for_managers_and_checks_are_off(desk: Desk) -> None:
    ann, mia = await desk.browser(), await desk.browser(Role.MANAGER)
    assert (await ann.get("/console/approvers")).status_code == 403
    page = (await mia.get("/console/approvers")).text
    assert "SUPPORT_ATTENTION_CHECKS" in page
    assert "Nothing stands out." in page
    planted = await mia.post("/console/approvers/checks", on="/console/approvers", run=str(UUID(int=3)))
    assert planted.status_code == 403


async def test_without_the_setting_nobody_is_named() -> None:
    view = shown_approvers(FIGURES, (), {}, days=30, checks_allowed=True)
    assert view.people == ()
    assert view.concentration == ("One person approved 5 of 8 refunds to one customer.",)
    assert view.alarm == "1 known bad draft was approved"
    assert "30 %" in [figure.value for figure in view.figures]


async def test_with_the_setting_they_are() -> None:
    view = shown_approvers(FIGURES, (), {BEN: "Ben", EVA: "Eva"}, days=30, checks_allowed=True)
    assert [(line.who, line.caught, line.missed) for line in view.people] == [("Ben", 4, 0), ("Eva", 0, 1)]
    assert view.concentration[0].startswith("Ben approved 5 of 8")
    quick = shown_approvers(
        ApproverFigures(Seeded(0, 4, 0, {}), 1_000, 0, 0, (), ()), (), {}, days=1, checks_allowed=True
    )
    assert quick.alarm == ""

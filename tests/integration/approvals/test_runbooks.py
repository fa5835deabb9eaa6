"""What docs/operations.md tells a person to expect of what is stuck, tried as it says."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from api.resealing import Resealing
from api.worker.handlers import bury
from approvals.attempts import Timing
from approvals.decision_seal import DecisionSeal
from db.base import table_of
from db.models.outbox import OutboxRow
from db.read_models.activity import activity
from db.repositories.approvals import Decision
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId
from tests.fixtures.approvals import Shop, refund

OUTBOX = table_of(OutboxRow).c


async def due(shop: Shop) -> list[OutboxEvent]:
    async with shop.database.write("claim") as uow:
        claimed = await uow.outbox.claim(limit=20, lease=timedelta(seconds=30))
    return [event for event in claimed if event.name is EventName.EXECUTION_DUE]


async def test_an_approved_action_whose_event_was_buried_is_called_again_and_happens_once(shop: Shop) -> None:
    execution = await shop.approved(refund())
    (event,) = await due(shop)
    await bury(shop.database, event, "a cause that was mended")
    async with shop.database.read() as uow:
        since = await uow.now() - timedelta(hours=1)
        (shown,) = (await activity(uow, DEFAULT_WORKSPACE, since=since)).buried_events
    assert (shown.name, shown.error) == (EventName.EXECUTION_DUE, "a cause that was mended")
    assert await shop.executions.due_for_reconcile(limit=10) == ()  # five minutes, by default
    shop.timing = Timing(orphaned=timedelta(seconds=-1))
    await shop.executions.reconcile_due()
    await shop.executions.reconcile_due()
    (again,) = await due(shop)
    assert await shop.executions.carry_out(ExecutionId(again.subject)) is ExecutionStatus.SUCCEEDED
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1
    async with shop.database.read() as uow:  # the buried one stays on show
        buried = select(func.count()).select_from(table_of(OutboxRow)).where(OUTBOX.buried_at.is_not(None))
        assert (await uow.session.execute(buried)).scalar_one() == 1


async def test_every_answer_from_which_something_may_follow_is_found_page_by_page(shop: Shop) -> None:
    ben, given = await shop.person("ben"), []
    for source in ("chat", "zendesk", "letter"):
        (request,) = await shop.proposed(refund(minor=100), source=source)
        execution = await shop.approve(request, ben)
        assert execution is not None
        given.append((request, execution))
    (ended, execution), *waiting = given
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    found, after = [], UUID(int=0)
    async with shop.database.read() as uow:
        while page := await uow.approvals.open_answers(DEFAULT_WORKSPACE, after=after, limit=1):
            found += [answer.request_id for answer in page]
            after = page[-1].id
    assert found == [request for request, _ in waiting]
    assert ended not in found

    class Noting(DecisionSeal):
        """Knows which key sealed what: here, an older one the newest answer alone."""

        def is_present(self, decision: Decision) -> bool:
            return decision.request_id != waiting[-1][0]

    class Here:
        database, workspace = shop.database, DEFAULT_WORKSPACE

    resealing = Resealing(records=Here, sealer=None, seal=Noting(b"k"), factors=None, page=1)  # type: ignore[arg-type] # asks these alone
    assert await resealing.open_decisions() == 1

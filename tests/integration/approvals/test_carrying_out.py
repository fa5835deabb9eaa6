from support_agents.domain.approval import ExecutionStatus
from tests.fixtures.approvals import REPLY, Shop, refund


async def test_an_approved_refund_is_booked_once(shop: Shop) -> None:
    execution = await shop.approved(refund())
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_an_approved_reply_goes_out_by_mail(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.mail.sent) == 1


async def test_an_approved_reply_goes_to_the_helpdesk(shop: Shop) -> None:
    execution = await shop.approved(REPLY, source="zendesk")
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.helpdesk.tickets["77"].comments) == 1

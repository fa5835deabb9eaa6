"""Steps in the shop's systems, letters that are put off or come back, and the budget of a recipient."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from approvals.authority import BUILT_IN, Rule
from approvals.bounces import Bounce, Bounces
from approvals.canonical import CanonicalStep, Sealed, Way, unseal
from approvals.card_reading import CardReader
from approvals.composing import Composer
from approvals.endpoints import Endpoint
from approvals.execution import Executions
from approvals.executors.dry_run import PROOF, DryRunExecutor
from approvals.executors.email import EmailExecutor
from approvals.executors.http import HttpExecutor
from approvals.executors.protocol import Call
from approvals.executors.recipient_budget import RecipientBudgetExecutor
from approvals.executors.refund import RefundExecutor
from approvals.ports import Conflict
from approvals.queue import ApprovalQueue
from approvals.routing import Routes
from approvals.submission import Submission
from approvals.testing import FakeStepGateway, Fault
from approvals.wording import KINDS, Tone
from support_agents.domain.action import ActionKind, CancelOrder, ClauseRef, DeleteRecord, ReplaceOrder
from support_agents.domain.approval import ExecutionStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId, WorkspaceId
from tests.fixtures.approvals import ORDER, REPLY, SEAL, Shop, refund, set_column
from tests.fixtures.inbound import START

CLAUSES = (ClauseRef(id="cancel-before-dispatch", version=1),)
CANCEL = CancelOrder(order_id=ORDER.order_id, order_version=ORDER.version, clauses=CLAUSES)
REPLACE = ReplaceOrder(
    order_id=ORDER.order_id, order_version=ORDER.version, item=ORDER.item, quantity=ORDER.quantity, clauses=CLAUSES
)
DELETE = DeleteRecord(clauses=CLAUSES)
STATUS = "https://shop.example/steps/{action}"
ENDPOINTS: Mapping[ActionKind, Endpoint] = {
    ActionKind.CANCEL_ORDER: Endpoint("https://shop.example/orders/{order_id}/cancel", STATUS),
    ActionKind.REPLACE_ORDER: Endpoint("https://shop.example/orders/{order_id}/replace", STATUS),
    ActionKind.DELETE_RECORD: Endpoint("https://shop.example/customers/{requester}", STATUS),
}
STEPS = (ActionKind.CANCEL_ORDER, ActionKind.REPLACE_ORDER, ActionKind.DELETE_RECORD)


class Stepping(Shop):
    """A shop whose own systems can be asked, with an authority that lets one person approve it."""

    gateway: FakeStepGateway

    @property
    def queue(self) -> ApprovalQueue:
        routes = Routes(helpdesks={}, mail_from="help@shop.example", endpoints=ENDPOINTS, dry=self.dry)
        submission = Submission(self.authority, Composer(routes), self.consequences, self.time_limit)
        return ApprovalQueue(self.database, self.authority, submission, self.consequences, seal=SEAL)

    @property
    def executions(self) -> Executions:
        real = HttpExecutor(self.gateway, self.orders, ENDPOINTS, self.call_limit)
        executor = DryRunExecutor(real, live=self.gateway.live) if Way.HTTP in self.dry else real
        return Executions(
            self.database,
            {Way.HTTP: executor},
            self.consequences,
            self.timing,
            lambda: 0.0,
            authority=self.authority,
            seal=SEAL,
        )


@pytest.fixture
def stepping(shop: Shop) -> Stepping:
    rules = (*BUILT_IN.rules, *(Rule(kind=kind) for kind in STEPS))
    made = Stepping(shop.database, authority=BUILT_IN.model_copy(update={"rules": rules}))
    made.gateway = FakeStepGateway()
    return made


@pytest.mark.parametrize("step", [CANCEL, REPLACE, DELETE], ids=lambda step: step.kind)
async def test_an_approved_step_is_asked_for_once_as_it_was_shown(
    stepping: Stepping, step: CancelOrder | ReplaceOrder | DeleteRecord
) -> None:
    execution = await stepping.approved(step)
    for _ in range(2):
        assert await stepping.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    (asked,) = stepping.gateway.asked
    row = await stepping.execution(execution)
    shown = (await stepping.request(row.request_id)).canonical.decode()
    assert asked.url in shown
    assert str(row.action_id) in asked.body
    assert asked.key == f"{row.action_id}.1"


@pytest.mark.parametrize(
    "bad",
    [CANCEL.model_copy(update={"order_id": "A-9"}), CANCEL.model_copy(update={"order_version": "v9"}),
     REPLACE.model_copy(update={"item": "Television"}), REPLACE.model_copy(update={"quantity": 3})],
)  # fmt: skip
async def test_a_step_that_the_order_system_does_not_bear_out_is_not_put_up(
    stepping: Stepping, bad: CancelOrder | ReplaceOrder
) -> None:
    assert await stepping.proposed(bad) == ()


async def test_a_step_without_an_address_is_done_by_hand(shop: Shop) -> None:
    assert await shop.proposed(CANCEL) == ()


async def test_a_step_whose_answer_was_lost_is_asked_about_and_not_repeated(stepping: Stepping) -> None:
    execution = await stepping.approved(CANCEL)
    stepping.gateway.faults.coming = [Fault.TIME_OUT_AFTER]
    assert await stepping.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    await stepping.lapse(execution)
    assert await stepping.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    assert len(stepping.gateway.asked) == 1


@pytest.mark.parametrize(
    ("rule", "least"),
    [(Rule(kind=ActionKind.CANCEL_ORDER), Role.APPROVER),
     (Rule(kind=ActionKind.CANCEL_ORDER, approver=Role.MANAGER), Role.MANAGER),
     (Rule(kind=ActionKind.CANCEL_ORDER, approvals=2, managers=1), Role.MANAGER),
     (Rule(kind=ActionKind.CANCEL_ORDER, approver=Role.ADMIN), Role.ADMIN),
     (None, Role.ADMIN)],
    ids=["an approver's", "a manager's", "one of two a manager", "an admin's", "nobody's any more"],
)  # fmt: skip
async def test_a_step_in_doubt_is_settled_by_whoever_may_approve_it(
    stepping: Stepping, rule: Rule | None, least: Role
) -> None:
    execution = await stepping.approved(CANCEL)
    stepping.gateway.faults.coming, stepping.gateway.answers = [Fault.FAIL], False
    assert await stepping.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    # The table is today's, not the one that it was approved under.
    stepping.authority = BUILT_IN.model_copy(update={"rules": (*BUILT_IN.rules, *([rule] if rule else []))})
    for role in (Role.VIEWER, Role.APPROVER, Role.MANAGER, Role.ADMIN):
        person = await stepping.person(f"a-{role}", role)
        settling = stepping.executions.resolve(
            execution, person=person, status=ExecutionStatus.SUCCEEDED, note="I have looked"
        )
        if role is least:
            await settling
            break
        with pytest.raises(SupportError, match="needs the role"):
            await settling
    assert await stepping.status(execution) is ExecutionStatus.SUCCEEDED


async def test_an_order_that_has_left_meanwhile_is_not_cancelled(stepping: Stepping) -> None:
    execution = await stepping.approved(CANCEL)
    stepping.orders.orders = {"anna@example.com": (ORDER.model_copy(update={"version": "v2"}),)}
    assert await stepping.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert stepping.gateway.asked == []


async def test_a_greylisted_letter_goes_out_later_and_once(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    shop.mail.faults.coming = [Fault.DEFER]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SCHEDULED
    row = await shop.execution(execution)
    assert (row.generation, row.reason) == (2, "try again later")
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SCHEDULED  # a minute has not passed
    await make_due(shop, execution)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.mail.sent) == 1


async def test_a_letter_is_not_put_off_beyond_its_approvals_life(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    shop.mail.faults.coming = [Fault.DEFER]
    async with shop.database.write("late") as uow:
        soon = await uow.now() + timedelta(seconds=30)
        await set_column(uow, "approval_requests", "expires_at", soon, (await shop.execution(execution)).request_id)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.FAILED
    assert "try again later" in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")


async def test_a_bounce_is_in_front_of_a_person_once_and_sends_nothing(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    await shop.executions.carry_out(execution)
    row = await shop.execution(execution)
    bounce = Bounce(DEFAULT_WORKSPACE, row.action_id, "standard:m-9", "5.1.1", START, START, b"{}")
    assert [await Bounces(shop.database).take(bounce) for _ in range(2)] == [True, False]
    assert "5.1.1" in (await shop.needs_person(row.ticket_id) or "")
    assert await shop.status(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.mail.sent) == 1


async def test_a_bounce_of_a_letter_that_never_left_is_nobodys(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    row = await shop.execution(execution)
    bounce = Bounce(DEFAULT_WORKSPACE, row.action_id, "standard:m-9", "5.1.1", START, START, b"{}")
    assert not await Bounces(shop.database).take(bounce)
    assert await shop.needs_person(row.ticket_id) is None


async def test_letters_to_one_recipient_are_counted(shop: Shop) -> None:
    async def sent(workspace: WorkspaceId, address: str, within: timedelta) -> int:
        async with shop.database.read() as uow:
            return await uow.executions.mailed(workspace, address, within=within)

    def limited(per_hour: int, per_day: int) -> Executions:
        real = EmailExecutor(shop.mail, shop.call_limit)
        executor = RecipientBudgetExecutor(real, sent, per_hour, per_day)
        return Executions(shop.database, {Way.EMAIL: executor}, shop.consequences, shop.timing, lambda: 0.0, seal=SEAL)

    first = await shop.approved(REPLY)
    assert await limited(1, 5).carry_out(first) is ExecutionStatus.SUCCEEDED
    second = (await shop.proposed(REPLY, key="m-1", minute=1))[0]
    execution = await shop.approve(second, await shop.person("eva"))
    assert execution is not None
    assert await limited(1, 5).carry_out(execution) is ExecutionStatus.SCHEDULED
    assert await limited(1, 1).carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert len(shop.mail.sent) == 1


async def test_a_step_in_a_dry_run_asks_nobody_and_says_so(stepping: Stepping) -> None:
    stepping.dry = frozenset({Way.HTTP})
    execution = await stepping.approved(CANCEL)
    assert await stepping.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert ((await stepping.execution(execution)).receipt or "").startswith(PROOF)
    assert stepping.gateway.asked == []


async def test_a_dry_run_that_is_handed_what_was_to_happen_does_nothing_for_certain(shop: Shop) -> None:
    row = await shop.execution(await shop.approved(refund()))
    action = unseal(Sealed((await shop.request(row.request_id)).canonical, row.digest))
    executor = DryRunExecutor(RefundExecutor(shop.payments, shop.orders), live=shop.payments.live)
    assert isinstance(await executor.perform(action, Call("key", "v1", never)), Conflict)
    assert shop.payments.booked == {}


@pytest.mark.parametrize("step", [CANCEL, REPLACE, DELETE], ids=lambda step: step.kind)
async def test_under_the_built_in_table_nobody_may_approve_a_step(
    stepping: Stepping, step: CancelOrder | ReplaceOrder | DeleteRecord
) -> None:
    stepping.authority = BUILT_IN
    ticket = await stepping.write()
    begun, _ = await stepping.begin(ticket)
    assert await stepping.finish(begun, step) == ()
    assert "nobody here may approve" in (await stepping.needs_person(ticket) or "")


@pytest.mark.parametrize("step", [CANCEL, REPLACE, DELETE], ids=lambda step: step.kind)
async def test_a_rule_that_has_gone_meanwhile_keeps_an_approved_step_back(
    stepping: Stepping, step: CancelOrder | ReplaceOrder | DeleteRecord
) -> None:
    execution = await stepping.approved(step)
    stepping.authority = BUILT_IN
    assert await stepping.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert stepping.gateway.asked == []


@pytest.mark.parametrize("step", [CANCEL, REPLACE, DELETE], ids=lambda step: step.kind)
async def test_a_card_shows_a_step_whole(stepping: Stepping, step: CancelOrder | ReplaceOrder | DeleteRecord) -> None:
    (request,) = await stepping.proposed(step)
    async with stepping.database.read() as uow:
        card = await CardReader(lambda *_: pytest.fail("a step has no words to check")).read(uow, request)
    action = unseal(Sealed((row := await stepping.request(request)).canonical, row.digest))
    assert isinstance(action, CanonicalStep)
    assert card is not None
    assert card.step is not None
    assert (card.step.url, card.step.body) == (action.url, action.body)
    assert card.headline.startswith(f"{KINDS[step.kind]} · ")
    assert {"anna@example.com", "the shop’s own system", "test"} <= set(card.step.line.split(" · "))
    assert (ORDER.order_id in card.step.line) is (step is not DELETE)
    assert (card.high_risk, card.verdict.tone) == (True, Tone.GOOD)


async def never() -> bool:
    raise AssertionError("nobody marks a letter")


async def make_due(shop: Shop, execution: ExecutionId) -> None:
    async with shop.database.write("due") as uow:
        found = await uow.executions.get(execution)
        assert found is not None
        await uow.executions.set(found, not_before=await uow.now() - timedelta(seconds=1))

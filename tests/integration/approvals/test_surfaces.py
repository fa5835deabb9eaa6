"""Where a decision is made matters: money from Slack only up to what the authority says, and by default none."""

from dataclasses import replace

import pytest

from approvals.authority import BUILT_IN
from approvals.ports import Surface
from support_agents.domain.approval import DecisionVerdict, RequestStatus
from support_agents.domain.errors import SupportError
from tests.fixtures.approvals import REPLY, Shop, refund


async def test_money_is_not_approved_from_slack_unless_the_rule_says_so(shop: Shop) -> None:
    (request,) = await shop.proposed(refund())
    ben = replace(await shop.person("ben"), surface=Surface.SLACK)
    with pytest.raises(SupportError) as caught:
        await shop.approve(request, ben)
    assert caught.value.code == "console_needed"
    assert (await shop.request(request)).status is RequestStatus.PENDING
    assert await shop.approve(request, replace(ben, surface=Surface.CONSOLE)) is not None


async def test_slack_may_go_as_far_as_the_rule_says(shop: Shop) -> None:
    (request,) = await shop.proposed(refund(minor=2_000))
    ben = replace(await shop.person("ben"), surface=Surface.SLACK)
    rules = tuple(rule.model_copy(update={"slack_max_minor": 1_999}) for rule in BUILT_IN.rules)
    digest = (await shop.request(request)).digest
    narrow = replace(shop.queue, authority=BUILT_IN.model_copy(update={"rules": rules}))
    with pytest.raises(SupportError):
        await narrow.decide(request, digest=digest, verdict=DecisionVerdict.APPROVE, person=ben)
    rules = tuple(rule.model_copy(update={"slack_max_minor": 2_000}) for rule in BUILT_IN.rules)
    wide = replace(shop.queue, authority=BUILT_IN.model_copy(update={"rules": rules}))
    decided = await wide.decide(request, digest=digest, verdict=DecisionVerdict.APPROVE, person=ben)
    assert decided.execution_id is not None


async def test_replies_and_rejections_are_fine_from_slack(shop: Shop) -> None:
    ben = replace(await shop.person("ben"), surface=Surface.SLACK)
    first, second = await shop.proposed(refund(), REPLY)
    assert await shop.approve(second, ben) is not None
    await shop.reject(first, ben)
    assert (await shop.request(first)).status is RequestStatus.REJECTED

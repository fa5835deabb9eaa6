"""A broker that is not there: what is said of it, how soon, and that its address stays unsaid."""

import time
from datetime import timedelta

import pytest

from api.worker.broker import CeleryDispatcher
from api.worker.brokers import Broker
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, OutboxId, new_id


@pytest.mark.parametrize("url", ["redis://:hidden@127.0.0.1:9/0", "amqp://u:hidden@127.0.0.1:9//"])
async def test_nothing_is_handed_on_and_the_caller_may_try_again(url: str) -> None:
    dispatcher = CeleryDispatcher(Broker(url, "test", timedelta(seconds=60)))
    event = OutboxEvent(
        id=OutboxId(new_id()),
        workspace=DEFAULT_WORKSPACE,
        name=EventName.TICKET_RECEIVED,
        subject=new_id(),
        attempts=0,
    )
    began = time.monotonic()
    try:
        for work in (dispatcher.check(), dispatcher.dispatch(event)):
            with pytest.raises(SupportError) as away:
                await work
            assert (away.value.code, away.value.retryable) == ("broker_unavailable", True)
            assert "hidden" not in f"{away.value.message}{away.value.__cause__}"
    finally:
        await dispatcher.close()
    assert time.monotonic() - began < 60  # one that is waited for takes minutes

"""What a worker on Redis may still fetch after Redis went away while its work was going on."""

import time
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from kombu import Connection, Exchange, Queue
from kombu.transport.virtual import Message

from api.worker.envelopes import gate_redis
from tests.fixtures.brokers import broker_address
from tests.peers.beside import beside
from tests.peers.cuttable import Cuttable, proxied


@pytest.mark.parametrize("way", ["ack", "reject"])
def test_a_message_that_redis_could_not_be_told_of_takes_up_no_place(way: str) -> None:
    url, name = broker_address("redis"), f"credit-{uuid4().hex[:8]}"
    parts = urlsplit(url)
    proxy = Cuttable(parts.hostname or "", parts.port or 0)
    with Connection(url) as ungated:  # kombu keeps what it used first
        ungated.connect()
    gate_redis()
    queue = Queue(name, Exchange(name), routing_key=name, durable=True)
    with beside(proxied(proxy)), Connection(proxy.through(url)) as connection:
        channel = connection.channel()
        connection.Producer(channel).publish("{}", exchange=queue.exchange, routing_key=name, declare=[queue])
        taken: list[Message] = []
        channel.basic_qos(prefetch_count=1)
        with connection.Consumer([queue.bind(channel)], channel=channel, on_message=taken.append):
            connection.drain_events(timeout=5)
            assert not channel.qos.can_consume()
            proxy.cut()
            time.sleep(0.1)
            with pytest.raises(connection.connection_errors):
                getattr(taken[0], way)()
            assert channel.qos.can_consume()
            proxy.mend()
            channel.qos._remove_from_indices(taken[0].delivery_tag).execute()
    with Connection(url) as connection:
        queue.bind(connection.default_channel).delete()

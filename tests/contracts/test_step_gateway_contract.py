import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.adapters.http.addresses import Addresses, RefusedAddressError
from approvals.adapters.http.signed import SignedHttpGateway
from approvals.endpoints import Endpoint
from approvals.ports import Absent, Conflict, NotNow, Receipt, Refused, StepGateway, StepOrder, Unknown
from approvals.testing import FakeStepGateway
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import new_id
from tests.peers.serving import serving
from tests.peers.step_server import SECRET, StepServer

STATUS = "https://shop.example/status/{action}"


@pytest.fixture
async def peer() -> AsyncIterator[StepServer]:
    async with serving(StepServer()) as made:
        yield made


@pytest.fixture
async def real() -> AsyncIterator[SignedHttpGateway]:
    addresses = Addresses(frozenset({"127.0.0.1"}))
    gateway = SignedHttpGateway.open(SECRET, addresses=addresses, is_live=False, timeout_seconds=0.5)
    yield gateway
    await gateway.close()


@pytest.fixture
def fake() -> FakeStepGateway:
    return FakeStepGateway()


@pytest.fixture(params=["real", "fake"])
def gateway(request: pytest.FixtureRequest) -> StepGateway:
    made: StepGateway = request.getfixturevalue(request.param)
    return made


def step(peer: StepServer, action: str, *, generation: int = 1) -> StepOrder:
    body = json.dumps({"action": action, "order_id": "A-1"})
    return StepOrder(f"{action}.{generation}", f"{peer.base_url}/orders/A-1/cancel", body)


async def test_a_step_is_done_and_found_by_its_action(peer: StepServer, gateway: StepGateway) -> None:
    action = str(new_id())
    status = f"{peer.base_url}/status/{action}"
    assert await gateway.find(status) == Absent()
    done = await gateway.ask(step(peer, action))
    assert isinstance(done, Receipt)
    assert await gateway.ask(step(peer, action)) == done
    assert await gateway.find(status) == done


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(400, Refused), (404, Refused), (422, Refused), (409, Conflict), (401, Unknown), (429, Unknown), (500, Unknown),
     (503, Unknown), ("redirect", Refused), ("stall_after", Unknown), ("drop_after", Unknown), ("long", Unknown)],
)  # fmt: skip
async def test_every_answer_has_its_meaning(
    peer: StepServer, real: SignedHttpGateway, fault: int | str, kind: type
) -> None:
    peer.faults = [fault]
    assert isinstance(await real.ask(step(peer, str(new_id()))), kind)
    assert "elsewhere" not in peer.done


@pytest.mark.parametrize(
    ("status", "kind"),
    [({"status": "done", "reference": "r"}, Receipt), ({"status": "absent"}, Absent), ({"status": "pending"}, Unknown),
     ({"status": "failed", "reason": "gone"}, Refused), ({"status": "odd"}, Unknown),
     ({"detail": "Not Found"}, Unknown)],
)  # fmt: skip
async def test_only_absent_in_so_many_words_is_absence(
    peer: StepServer, real: SignedHttpGateway, status: dict[str, str], kind: type
) -> None:
    peer.status = status
    assert isinstance(await real.find(f"{peer.base_url}/status/{new_id()}"), kind)
    assert isinstance(await real.find(f"{peer.base_url}/nothing/here"), Unknown)


async def test_a_receiver_that_is_down_is_not_now(real: SignedHttpGateway, unused_tcp_port: int) -> None:
    order = StepOrder("k", f"http://127.0.0.1:{unused_tcp_port}/x", "{}")
    assert isinstance(await real.ask(order), NotNow)
    assert isinstance(await real.find(order.url), Unknown)


async def test_the_secret_is_shown_to_nobody(real: SignedHttpGateway) -> None:
    assert "secret" not in repr(real)
    assert SECRET.removeprefix("whsec_") not in repr(real)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.1", "::1", "fc00::1",
     "fe80::1%eth0", "::ffff:10.0.0.1", "224.0.0.1", "nonsense"],
)  # fmt: skip
async def test_private_ranges_are_refused_even_beside_a_public_one(address: str) -> None:
    async def lookup(_host: str, _port: int) -> tuple[str, ...]:
        return ("93.184.216.34", address)

    addresses = Addresses(lookup=lookup)
    with pytest.raises(RefusedAddressError):
        await addresses.resolve("https://shop.example/x")
    assert await Addresses(frozenset({"shop.example"}), lookup).resolve("http://shop.example/x")


async def test_plain_http_is_refused_and_the_checked_address_is_the_one_that_is_used() -> None:
    calls: list[str] = []

    async def lookup(host: str, _port: int) -> tuple[str, ...]:
        calls.append(host)
        return ("93.184.216.34",)

    with pytest.raises(RefusedAddressError):
        await Addresses(lookup=lookup).resolve("http://shop.example/x")
    gateway = SignedHttpGateway.open(SECRET, addresses=Addresses(lookup=lookup), is_live=True)
    request = await gateway._request("POST", "https://shop.example/x?", "k", b"{}")
    assert (request.url.host, request.headers["host"]) == ("93.184.216.34", "shop.example")
    assert request.extensions["sni_hostname"] == "shop.example"
    assert calls == ["shop.example"]
    await gateway.close()


@settings(deadline=None)
@given(order_id=st.text(max_size=60), requester=st.text(max_size=60))
def test_no_value_leaves_its_path_part(order_id: str, requester: str) -> None:
    endpoint = Endpoint("https://shop.example/orders/{order_id}/of/{requester}/cancel", STATUS)
    try:
        filled = endpoint.filled({"order_id": order_id, "requester": requester, "action": "a-1"})
    except UnicodeEncodeError:
        pytest.fail("a value that cannot be encoded has to be refused")
    if filled is None:
        return
    url = httpx.URL(filled[0])
    assert (url.host, url.query, url.fragment) == ("shop.example", b"", "")
    parts = url.raw_path.decode().split("/")
    assert (len(parts), parts[1], parts[3], parts[5]) == (6, "orders", "of", "cancel")


@pytest.mark.parametrize("value", ["", ".", "..", " A", "x" * 400])
def test_what_would_climb_or_name_everything_is_refused(value: str) -> None:
    endpoint = Endpoint("https://shop.example/orders/{order_id}", STATUS)
    assert endpoint.filled({"order_id": value, "action": "a-1"}) is None


@pytest.mark.parametrize(
    "template",
    ["shop.example/{order_id}", "ftp://shop.example/{order_id}", "https://{order_id}.example/x", "https://a:b@c.example/",
     "https://shop.example/x?id={order_id}", "https://shop.example/{email}", "https://shop.example/x-{order_id}"],
)  # fmt: skip
def test_a_template_that_text_could_bend_is_refused_at_the_start(template: str) -> None:
    with pytest.raises(SupportError):
        Endpoint(template, STATUS)


def test_a_status_address_names_the_action() -> None:
    with pytest.raises(SupportError):
        Endpoint("https://shop.example/x", "https://shop.example/status")

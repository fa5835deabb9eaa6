from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from approvals.adapters.helpdesk.zendesk import ZendeskGateway
from approvals.ports import (
    Absent,
    Comment,
    Conflict,
    HelpdeskGateway,
    HelpdeskTicket,
    Missing,
    Receipt,
    Refused,
    Unknown,
)
from approvals.testing import FakeHelpdeskGateway, FakeTicket, Fault
from tests.peers.zendesk_server import API_USER, CUSTOMER, EMAIL, START, TOKEN, ZendeskServer, serving

ANNA = "anna@example.com"
MAX = "max@example.com"


@dataclass(frozen=True)
class Desk:
    """A gateway and what happens behind it: `touch` is anybody's update, `public` counts what customers see."""

    gateway: HelpdeskGateway
    touch: Callable[[], object]
    public: Callable[[], int]
    close: Callable[[], None]
    copy: Callable[[], object]


@pytest.fixture
async def server() -> AsyncIterator[ZendeskServer]:
    made = ZendeskServer()
    made.add(77, ANNA)
    async with serving(made):
        yield made


@pytest.fixture
async def zendesk(server: ZendeskServer) -> AsyncIterator[ZendeskGateway]:
    gateway = ZendeskGateway.open(server.base_url, email=EMAIL, token=TOKEN, is_live=False)
    yield gateway
    await gateway.close()


@pytest.fixture
def real(server: ZendeskServer, zendesk: ZendeskGateway) -> Desk:
    ticket = server.tickets[77]

    def copy() -> None:
        ticket.users[4_242] = MAX
        ticket.email_cc_ids.append(4_242)

    return Desk(
        zendesk,
        lambda: ticket.comment(CUSTOMER, "One more thing", at=START + timedelta(minutes=5)),
        lambda: sum(c["public"] for c in ticket.comments if c["author_id"] == API_USER),
        lambda: setattr(ticket, "status", "closed"),
        copy,
    )


@pytest.fixture
def fake() -> Desk:
    ticket = FakeTicket(ANNA, last_foreign_comment_at=START)
    gateway = FakeHelpdeskGateway({"77": ticket})

    def touch() -> None:
        ticket.version += 1
        ticket.last_foreign_comment_at = START + timedelta(minutes=5)

    def close() -> None:
        ticket.is_open = False

    return Desk(gateway, touch, lambda: sum(c.public for c in ticket.comments), close, lambda: ticket.copied.add(MAX))


@pytest.fixture(params=["real", "fake"])
def desk(request: pytest.FixtureRequest) -> Desk:
    made: Desk = request.getfixturevalue(request.param)
    return made


async def seen(desk: Desk) -> HelpdeskTicket:
    found = await desk.gateway.look("77")
    assert isinstance(found, HelpdeskTicket)
    return found


def reply(stamp: str | None, marker: str = "a1.1", *, public: bool = True) -> Comment:
    return Comment("77", "Dear Anna", "<p>Dear Anna</p>", public=public, marker=marker, stamp=stamp)


async def test_a_ticket_is_told_with_its_requester_and_newest_foreign_comment(desk: Desk) -> None:
    found = await seen(desk)
    assert (found.requester_email, found.open, found.last_foreign_comment_at) == (ANNA, True, START)
    desk.touch()
    assert (await seen(desk)).last_foreign_comment_at == START + timedelta(minutes=5)


async def test_a_comment_is_written_and_found_by_its_marker(desk: Desk) -> None:
    written = await desk.gateway.comment(reply((await seen(desk)).stamp))
    assert isinstance(written, Receipt)
    assert await desk.gateway.find("77", "a1.") == written
    assert await desk.gateway.find("77", "a2.") == Absent()
    assert desk.public() == 1


async def test_our_own_comment_is_nobody_elses(desk: Desk) -> None:
    before = await seen(desk)
    await desk.gateway.comment(reply(before.stamp))
    after = await seen(desk)
    assert after.stamp != before.stamp
    assert after.last_foreign_comment_at == before.last_foreign_comment_at


async def test_an_update_in_between_is_a_conflict_and_writes_nothing(desk: Desk) -> None:
    before = await seen(desk)
    desk.touch()
    assert isinstance(await desk.gateway.comment(reply(before.stamp)), Conflict)
    assert await desk.gateway.find("77", "a1.") == Absent()


async def test_a_note_is_not_public(desk: Desk) -> None:
    assert isinstance(await desk.gateway.comment(reply(None, public=False)), Receipt)
    assert desk.public() == 0


async def test_what_is_not_there_is_missing(desk: Desk) -> None:
    assert await desk.gateway.look("78") == Missing()
    assert await desk.gateway.look("../users/me") == Missing()


async def test_a_closed_ticket_is_told_as_such(desk: Desk) -> None:
    desk.close()
    assert not (await seen(desk)).open


async def test_who_is_copied_in_is_told_by_address(desk: Desk) -> None:
    assert (await seen(desk)).copied == frozenset()
    desk.copy()
    assert (await seen(desk)).copied == {MAX}


async def test_followers_the_requester_and_we_are_not_copied_in(zendesk: ZendeskGateway, server: ZendeskServer) -> None:
    ticket = server.tickets[77]
    ticket.follower_ids.append(777)
    ticket.email_cc_ids += [CUSTOMER, API_USER]
    found = await zendesk.look("77")
    assert isinstance(found, HelpdeskTicket)
    assert found.copied == frozenset()


async def test_a_copied_reader_without_a_known_address_is_told_all_the_same(
    zendesk: ZendeskGateway, server: ZendeskServer
) -> None:
    server.tickets[77].email_cc_ids.append(4_242)
    found = await zendesk.look("77")
    assert isinstance(found, HelpdeskTicket)
    assert found.copied == {"user 4242"}


async def test_many_audits_are_read_to_the_end(zendesk: ZendeskGateway, server: ZendeskServer) -> None:
    await zendesk.comment(reply(None))
    for number in range(7):
        server.tickets[77].comment(CUSTOMER, f"more {number}")
    assert isinstance(await zendesk.find("77", "a1.1"), Receipt)
    assert await zendesk.find("77", "a9.") == Absent()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_no_certain_answer_is_unknown(zendesk: ZendeskGateway, server: ZendeskServer, status: int) -> None:
    server.faults.append(status)
    assert isinstance(await zendesk.comment(reply(None)), Unknown)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 422])
async def test_a_refusal_is_final(zendesk: ZendeskGateway, server: ZendeskServer, status: int) -> None:
    server.faults.append(status)
    assert isinstance(await zendesk.comment(reply(None)), Refused)
    assert sum(method == "PUT" for method, _ in server.requests) == 1


@pytest.mark.parametrize("fault", ["drop_after", "garbage"])
async def test_a_comment_whose_answer_is_lost_is_found_later(
    zendesk: ZendeskGateway, server: ZendeskServer, fault: str
) -> None:
    server.faults.append(fault)
    assert isinstance(await zendesk.comment(reply(None)), Unknown)
    assert isinstance(await zendesk.find("77", "a1."), Receipt)


async def test_wrong_credentials_are_refused_and_reading_is_unknown(server: ZendeskServer) -> None:
    gateway = ZendeskGateway.open(server.base_url, email=EMAIL, token="wrong")
    assert isinstance(await gateway.comment(reply(None)), Refused)
    assert isinstance(await gateway.look("77"), Unknown)
    await gateway.close()


async def test_the_fake_fails_as_told() -> None:
    gateway = FakeHelpdeskGateway({"77": FakeTicket(ANNA)})
    gateway.faults.coming = [Fault.FAIL, Fault.REFUSE]
    assert isinstance(await gateway.comment(reply(None)), Unknown)
    assert isinstance(await gateway.comment(reply(None)), Refused)

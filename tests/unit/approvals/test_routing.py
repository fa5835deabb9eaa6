import pytest

from approvals.canonical import Way
from approvals.composing import Composer
from approvals.routing import Disposition, Routes, asks_for_refunds, dispose_reply
from support_agents.domain.approval import Mode
from support_agents.domain.ids import DEFAULT_WORKSPACE, ActionId, TicketId, new_id
from support_agents.domain.ticket import Channel, TicketSnapshot
from tests.fixtures.inbound import ANNA, START, message

ROUTES = Routes(helpdesks={"zendesk": "api@shop.example"}, mail_from="help@shop.example")


def ticket(source: str, channel: Channel, email: str = ANNA.email) -> TicketSnapshot:
    return TicketSnapshot(
        workspace=DEFAULT_WORKSPACE, id=TicketId(new_id()), source=source, external_id="1", revision=1, subject="",
        requester=ANNA.model_copy(update={"email": email}), channel=channel, order_id=None, messages=(),
        received_at=START,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "channel", "way"),
    [
        ("zendesk", Channel.WEB, Way.HELPDESK), ("zendesk", Channel.EMAIL, Way.HELPDESK),
        ("standard", Channel.EMAIL, Way.EMAIL), ("standard", Channel.CHAT, None), ("other", Channel.EMAIL, None),
    ],
)  # fmt: skip
def test_a_reply_goes_back_where_it_came_from(source: str, channel: Channel, way: Way | None) -> None:
    assert ROUTES.way_back(ticket(source, channel)) is way


def test_no_way_back_without_the_means_or_an_address() -> None:
    without = Routes(helpdesks={}, mail_from=None)
    assert without.way_back(ticket("zendesk", Channel.WEB)) is None
    assert without.way_back(ticket("standard", Channel.EMAIL)) is None
    assert ROUTES.way_back(ticket("standard", Channel.EMAIL, "a@b.c, d@e.f")) is None


@pytest.mark.parametrize(
    ("mode", "way", "disposition"),
    [
        (Mode.OBSERVE, Way.HELPDESK, Disposition.RECORD_ONLY), (Mode.OBSERVE, None, Disposition.RECORD_ONLY),
        (Mode.NOTE, Way.HELPDESK, Disposition.NOTE), (Mode.NOTE, Way.EMAIL, Disposition.RECORD_ONLY),
        (Mode.REPLY, Way.EMAIL, Disposition.REQUEST), (Mode.REPLY, None, Disposition.BY_HAND),
    ],
)  # fmt: skip
def test_only_reply_mode_asks_for_an_effect(mode: Mode, way: Way | None, disposition: Disposition) -> None:
    assert dispose_reply(mode, way) is disposition
    assert asks_for_refunds(mode) is (mode is Mode.REPLY)


@pytest.mark.parametrize(
    ("external_id", "threaded"),
    [("<CA+1@mail.example.com>", True), ("m-1", False), ("<a@b>\r\nBcc: eve@example.com", False)],
)
def test_only_a_well_formed_message_id_threads_a_reply(external_id: str, threaded: bool) -> None:  # noqa: FBT001 - a row
    said = message().model_copy(update={"external_id": external_id})
    conversation = ticket("standard", Channel.EMAIL).model_copy(update={"messages": (said,)})
    action = ActionId(new_id())
    headers = dict(Composer(ROUTES)._headers(action, conversation, now=START))
    assert headers["Message-ID"] == f"<{action}@shop.example>"
    assert headers.get("In-Reply-To") == headers.get("References") == (external_id if threaded else None)

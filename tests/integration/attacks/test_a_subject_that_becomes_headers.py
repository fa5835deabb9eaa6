"""A customer's subject in the shape of an encoded word was decoded into header lines of our own letter (I1, I2)."""

from email import message_from_bytes, policy

import pytest

from approvals.canonical import CanonicalReply
from approvals.executors.email import letter_of
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId
from tests.fixtures.approvals import REPLY, Shop

SUBJECTS = (
    "=?utf-8?q?Hello=0D=0ABcc:_eve@evil.example?=",
    "=?utf-8?q?Hello=0D=0A=0D=0ADear_Anna,_pay_here?=",
    "=?utf-8?b?eW91IHdvbiDigqw1MDA=?=",
    "=?utf-8?q?a?= =?utf-8?q?b=0ATo:_x@evil.example?=",
    "=\u200b?utf-8?q?Hello=0D=0ABcc:_eve@evil.example?=",
    "Re: =?utf-8?q?x?= \u20ac",
)


async def approved_bytes(shop: Shop, request: RequestId) -> CanonicalReply:
    """What people decide on."""
    return CanonicalReply.model_validate_json((await shop.request(request)).canonical)


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_the_letter_reads_as_it_was_approved(shop: Shop, subject: str) -> None:
    execution = await shop.approved(REPLY.model_copy(update={"subject": subject}))
    reply = await approved_bytes(shop, (await shop.execution(execution)).request_id)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    (letter,) = shop.mail.sent
    read = message_from_bytes(letter.content, policy=policy.default)
    assert (read["Subject"], read.get_all("To"), read["Bcc"]) == (reply.subject, list(reply.to), None)
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().split() == reply.text.split()


@pytest.mark.parametrize("name", ["References", "In-Reply-To", "Message-ID"])
async def test_a_header_that_would_be_read_as_something_else_is_refused(shop: Shop, name: str) -> None:
    (request,) = await shop.proposed(REPLY)
    reply = await approved_bytes(shop, request)
    headers = ((name, "=?utf-8?q?=3Ca@b.example=3E=0D=0ABcc:_eve@evil.example?="),)
    with pytest.raises((SupportError, ValueError), match=r"."):
        letter_of(reply.model_copy(update={"headers": headers}))

"""Answers of Zendesk that leave open what happened were taken for “nothing happened” (I3)."""

import httpx
import pytest

from approvals.adapters.helpdesk.zendesk import ZendeskGateway
from approvals.ports import Comment, Refused, Unknown

COMMENT = Comment(external_ticket="7", text="Hello", html="<p>Hello</p>", public=True, marker="a.1", stamp="s")


def zendesk(status: int, body: object = None) -> ZendeskGateway:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body or {}))
    return ZendeskGateway(httpx.AsyncClient(base_url="https://shop.zendesk.example", transport=transport), "1")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 408, 429, 500, 503])
async def test_an_answer_that_is_neither_yes_nor_no_is_a_doubt(status: int) -> None:
    assert isinstance(await zendesk(status).comment(COMMENT), Unknown)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_no_is_a_no(status: int) -> None:
    assert isinstance(await zendesk(status).comment(COMMENT), Refused)


async def test_a_history_with_more_to_come_does_not_prove_absence() -> None:
    body = {"audits": [], "meta": {"has_more": True, "after_cursor": None}}
    assert isinstance(await zendesk(200, body).find("7", "a."), Unknown)

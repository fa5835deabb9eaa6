"""A quoted cookie came back as a line break in a header; a cursor from before all calendars was a fault of ours."""

import base64

import pytest

from api.auth import Scope
from tests.fixtures.installation import Installation

AT_THE_EDGE = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-22T00:00:00")


@pytest.mark.parametrize("value", [r"x\012Set-Cookie:evil=1", r"x\073 Domain=evil.example", "x y", "x"])
async def test_a_cookie_that_we_did_not_make_is_replaced(local_installation: Installation, value: str) -> None:
    answer = await local_installation.client.get("/console/sign-in", headers={"Cookie": f'support_door="{value}"'})
    assert answer.status_code == 200, answer.text
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("support_door=")]
    assert "\n" not in cookie
    assert "evil" not in cookie
    assert cookie.partition(";")[2].split("; ") == [" Path=/console", "HttpOnly", "SameSite=Strict"]


@pytest.mark.parametrize("at", AT_THE_EDGE)
async def test_a_cursor_that_we_did_not_make_is_refused(local_installation: Installation, at: str) -> None:
    cursor = base64.urlsafe_b64encode(f"{at}|{'0' * 32}".encode()).decode().rstrip("=")
    answer = await local_installation.client.get(
        "/v1/tickets", params={"cursor": cursor}, headers=await local_installation.token(Scope.READ)
    )
    assert answer.json()["code"] == "bad_cursor", answer.text

"""Slack's signature: its documented vector, and everything that must not pass for it."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier

from approvals.adapters.slack.signature import SIGNATURE, TIMESTAMP, SlackSignature, sign
from support_agents.domain.errors import SupportError

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
AT = datetime.fromtimestamp(1531420618, UTC)
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
VECTOR = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
DOOR = SlackSignature((SecretStr(SECRET),))


def headers(signature: str = VECTOR, timestamp: str = "1531420618") -> dict[str, str]:
    return {SIGNATURE: signature, TIMESTAMP: timestamp}


def refused(raw: bytes, given: dict[str, str], now: datetime = AT, door: SlackSignature = DOOR) -> str:
    with pytest.raises(SupportError) as caught:
        door.verify(raw, given, now)
    return caught.value.code


def test_the_documented_vector_passes() -> None:
    assert sign(SecretStr(SECRET), "1531420618", BODY).decode() == VECTOR
    assert len(DOOR.verify(BODY, headers(), AT)) == 64


@pytest.mark.parametrize("body", [b"", b"payload=%7B%7D", "payload=ü".encode(), b'{"a": 1}'])
def test_slacks_own_library_makes_the_same_signature(body: bytes) -> None:
    made = SignatureVerifier(SECRET).generate_signature(timestamp="1531420618", body=body)
    assert made == sign(SecretStr(SECRET), "1531420618", body).decode()


def test_another_body_secret_or_time_does_not_pass() -> None:
    assert refused(BODY + b" ", headers()) == "bad_signature"
    assert refused(BODY, headers(timestamp="1531420619")) == "bad_signature"
    assert refused(BODY, headers(), door=SlackSignature((SecretStr("another"),))) == "bad_signature"


@pytest.mark.parametrize("timestamp", ["", "x", "-1", "1531420618.0", "١٥٣١٤٢٠٦١٨", "1" * 400, " 1531420618"])
def test_an_odd_timestamp_is_refused_before_anything_is_computed(timestamp: str) -> None:
    assert refused(BODY, headers(timestamp=timestamp)) == "bad_signature"


@pytest.mark.parametrize("signature", ["", "v0=", VECTOR[3:], VECTOR.upper(), "v1=" + VECTOR[3:], "\udcff", "ü" * 70])
def test_an_odd_signature_is_refused(signature: str) -> None:
    assert refused(BODY, headers(signature)) == "bad_signature"


@pytest.mark.parametrize(("seconds", "passes"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_either_way(seconds: int, *, passes: bool) -> None:
    now = AT + timedelta(seconds=seconds)
    if passes:
        DOOR.verify(BODY, headers(), now)
    else:
        assert refused(BODY, headers(), now) == "stale_signature"


def test_several_secrets_are_good_while_one_is_replaced() -> None:
    both = SlackSignature((SecretStr("the new one"), SecretStr(SECRET)))
    assert both.verify(BODY, headers(), AT) == DOOR.verify(BODY, headers(), AT)


def test_without_a_secret_the_door_is_closed() -> None:
    assert refused(BODY, headers(), door=SlackSignature(())) == "unknown_source"


def test_two_deliveries_have_two_keys() -> None:
    later = sign(SecretStr(SECRET), "1531420619", BODY).decode()
    assert DOOR.verify(BODY, headers(), AT) != DOOR.verify(BODY, headers(later, "1531420619"), AT)

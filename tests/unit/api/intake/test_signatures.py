"""Signatures of the two sources: published vectors, forgeries, rotation, skew."""

from datetime import UTC, datetime, timedelta

import pytest

from api.intake import zendesk
from api.intake.payload import Reading
from api.intake.standard import StandardIntake, key_of, sign
from api.intake.zendesk import ZendeskIntake
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
AT = datetime.fromtimestamp(1_614_265_330, tz=UTC)
BODY = b'{"test": 2432232314}'
VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
READING = Reading(workspace=DEFAULT_WORKSPACE, source="standard", body_key=lambda _: "key", find_marker=lambda _: None)
STANDARD = StandardIntake(keys=(key_of(SECRET),), reading=READING)
ZENDESK = ZendeskIntake(keys=(b"a secret",), reading=READING)


def code(intake: StandardIntake | ZendeskIntake, body: bytes, headers: dict[str, str], now: datetime = AT) -> str:
    try:
        intake.verify(body, headers, now)
    except SupportError as error:
        return error.code
    return "ok"


def test_published_vector_of_standard_webhooks() -> None:
    assert code(STANDARD, BODY, VECTOR) == "ok"
    assert sign(SECRET, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=AT, body=BODY) == VECTOR


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": "not a number"},
        {"webhook-timestamp": "9" * 300},
        {"webhook-timestamp": "٣"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,!!!"},
        {"webhook-signature": "v1a," + VECTOR["webhook-signature"][3:]},
        {"webhook-signature": VECTOR["webhook-signature"][3:]},
    ],
)
def test_a_changed_header_is_refused(change: dict[str, str]) -> None:
    assert code(STANDARD, BODY, VECTOR | change) == "bad_signature"


def test_a_changed_body_is_refused() -> None:
    assert code(STANDARD, BODY + b" ", VECTOR) == "bad_signature"


def test_no_headers_at_all() -> None:
    assert code(STANDARD, BODY, {}) == "bad_signature"
    assert code(ZENDESK, BODY, {}) == "bad_signature"


def test_one_of_several_signatures_is_enough() -> None:
    several = VECTOR | {"webhook-signature": f"v1,AAAA v1a,BBBB {VECTOR['webhook-signature']}"}
    assert code(STANDARD, BODY, several) == "ok"


def test_any_secret_of_a_rotation_is_enough_and_a_foreign_one_is_not() -> None:
    rotating = StandardIntake(keys=(key_of(OTHER), key_of(SECRET)), reading=READING)
    assert code(rotating, BODY, VECTOR) == "ok"
    assert code(StandardIntake(keys=(key_of(OTHER),), reading=READING), BODY, VECTOR) == "bad_signature"
    assert code(StandardIntake(keys=(), reading=READING), BODY, VECTOR) == "bad_signature"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "ok"), (300, "ok"), (-300, "ok"), (301, "stale_signature"), (-301, "stale_signature")],
)
def test_five_minutes_of_skew_either_way(seconds: int, expected: str) -> None:
    now = AT + timedelta(seconds=seconds)
    assert code(STANDARD, BODY, VECTOR, now) == expected
    assert code(ZENDESK, BODY, zendesk.sign("a secret", at=AT, body=BODY), now) == expected


def test_a_forged_stale_delivery_is_not_told_that_it_is_stale() -> None:
    forged = VECTOR | {"webhook-timestamp": "1"}
    assert code(STANDARD, BODY, forged) == "bad_signature"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!"])
def test_an_empty_secret_can_never_be_a_key(secret: str) -> None:
    with pytest.raises(SupportError):
        key_of(secret)


def test_zendesk_signs_timestamp_then_body_with_the_secret_as_text() -> None:
    headers = zendesk.sign("a secret", at=AT, body=BODY)
    # printf '%s' '2021-02-25T15:02:10Z{"test": 2432232314}' | openssl dgst -sha256 -hmac 'a secret' -binary | base64
    assert headers == {
        "x-zendesk-webhook-signature-timestamp": "2021-02-25T15:02:10Z",
        "x-zendesk-webhook-signature": "cR11+CDQQiQxbAnEP6Vvpl5Rcfn+WaA5O88UHwpYmnc=",
    }
    assert code(ZENDESK, BODY, headers) == "ok"
    assert code(ZENDESK, b"", zendesk.sign("a secret", at=AT, body=b"")) == "ok"


def test_zendesk_refuses_the_order_of_its_older_page() -> None:
    secret = "HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="
    older = ZendeskIntake(keys=(secret.encode(),), reading=READING)
    headers = zendesk.sign(secret, at=AT, body=BODY)
    swapped = headers | {"x-zendesk-webhook-signature-timestamp": "2021-02-25T15:02:11Z"}
    assert code(older, BODY, headers) == "ok"
    assert code(older, BODY, swapped) == "bad_signature"


def test_zendesk_with_an_unreadable_time_is_refused() -> None:
    headers = zendesk.sign("a secret", at=AT, body=b"yesterday" + BODY)
    # Timestamp and body have no separator, so moving the boundary keeps the signature; the time must still read.
    moved = headers | {
        "x-zendesk-webhook-signature-timestamp": headers["x-zendesk-webhook-signature-timestamp"] + "yesterday"
    }
    assert code(ZENDESK, BODY, moved) == "bad_signature"

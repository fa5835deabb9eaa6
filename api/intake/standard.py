"""The `standard` source: Standard Webhooks signatures over our documented JSON body; asymmetric `v1a` is not spoken."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from api.intake.payload import Payload, Reading
from api.intake.protocol import Unparseable
from api.intake.refusal import refusal
from api.intake.signature import decoded, digest, missing, require_match, require_recent
from support_agents.domain.errors import SupportError
from support_agents.domain.ticket import InboundMessage

_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_LONGEST_TIMESTAMP = 12
_MOST_SIGNATURES = 20


@dataclass(frozen=True)
class StandardIntake:
    """`keys` are decoded secrets, newest first; old ones stay while the sender rotates."""

    keys: tuple[bytes, ...]
    reading: Reading

    @property
    def source(self) -> str:
        """The name in `/webhooks/{source}`."""
        return self.reading.source

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Raise unless a key signed `id.timestamp.body` within five minutes."""
        message_id, stamp = headers.get(_ID, ""), headers.get(_TIMESTAMP, "")
        if not message_id:
            raise missing(_ID)
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _LONGEST_TIMESTAMP):
            raise missing(_TIMESTAMP)
        given = [part.removeprefix("v1,") for part in headers.get(_SIGNATURE, "").split() if part.startswith("v1,")]
        if not given:
            raise missing(_SIGNATURE)
        content = f"{message_id}.{stamp}.".encode() + raw
        require_match([decoded(part) for part in given[:_MOST_SIGNATURES]], self.keys, content)
        require_recent(_instant(stamp), now)

    def parse(self, raw: bytes, received_at: datetime) -> InboundMessage | Unparseable:
        """Read the documented body."""
        try:
            payload = Payload.model_validate_json(raw)
            return self.reading.of(payload, raw, received_at)
        except ValidationError as error:
            return refusal(error)


def key_of(secret: str) -> bytes:
    """Return the bytes of a `whsec_…` secret; raise `SupportError` when it is not one."""
    key = decoded(secret.removeprefix("whsec_"))
    if not key:
        raise SupportError(
            "settings", "a Standard Webhooks secret is `whsec_` and base64; copy it whole from the sender"
        )
    return key


def sign(secret: str, *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers a sender sets; for the demo, the tests and other senders of ours."""
    stamp = str(int(at.timestamp()))
    signature = base64.b64encode(digest(key_of(secret), f"{message_id}.{stamp}.".encode() + body)).decode()
    return {_ID: message_id, _TIMESTAMP: stamp, _SIGNATURE: f"v1,{signature}"}


def keys_of(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """Return the keys of several secrets, in order."""
    return tuple(key_of(secret) for secret in secrets)


def _instant(stamp: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(stamp), tz=UTC)
    except (OverflowError, OSError, ValueError):
        raise missing(_TIMESTAMP) from None

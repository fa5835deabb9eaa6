"""Slack's signature over the raw body: constant time, several secrets, five minutes; what it accepts it names once."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from support_agents.domain.errors import SupportError

SIGNATURE = "x-slack-signature"
TIMESTAMP = "x-slack-request-timestamp"
SKEW = timedelta(seconds=300)
_VERSION = "v0"
_LONGEST_TIMESTAMP = 12


@dataclass(frozen=True)
class SlackSignature:
    """Verifies deliveries; no secret means that the door is closed. Secrets are several while one is replaced."""

    secrets: Sequence[SecretStr]

    def verify(self, raw: bytes, headers: Mapping[str, str], now: datetime) -> str:
        """Return a key that only this very delivery has, for the replay guard; raise for any other."""
        if not self.secrets:
            raise SupportError("unknown_source", "No Slack signing secret is set.")
        timestamp = headers.get(TIMESTAMP, "")
        if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > _LONGEST_TIMESTAMP:
            raise SupportError("bad_signature", f"The header {TIMESTAMP} is missing or unreadable.")
        given = headers.get(SIGNATURE, "").encode("utf-8", "replace")
        # All secrets are compared, so that the time tells nothing about which one fits.
        fits = [hmac.compare_digest(given, sign(secret, timestamp, raw)) for secret in self.secrets]
        if not any(fits):
            raise SupportError("bad_signature", "No secret of this Slack app made this signature over this body.")
        if abs(now.timestamp() - int(timestamp)) > SKEW.total_seconds():
            raise SupportError(
                "stale_signature", "The signed time is more than five minutes off; check this machine's clock."
            )
        return hashlib.sha256(b"signature\n" + given).hexdigest()


def sign(secret: SecretStr, timestamp: str, raw: bytes) -> bytes:
    """Return the signature that Slack sends with this body at this time."""
    content = f"{_VERSION}:{timestamp}:".encode() + raw
    key = secret.get_secret_value().encode()
    return f"{_VERSION}={hmac.new(key, content, hashlib.sha256).hexdigest()}".encode()

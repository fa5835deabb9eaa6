"""Comparing signatures: raw bytes, constant time, several secrets, five minutes; it knows no sender."""

import base64
import binascii
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from support_agents.domain.errors import SupportError

SKEW = timedelta(minutes=5)


def digest(key: bytes, content: bytes) -> bytes:
    """Return HMAC-SHA256."""
    return hmac.digest(key, content, "sha256")


def decoded(text: str) -> bytes | None:
    """Return base64 decoded, or None when it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def require_match(given: Iterable[bytes | None], keys: Sequence[bytes], content: bytes) -> None:
    """Raise unless one of the given signatures is that of one of the keys; compares all of them, in constant time."""
    expected = [digest(key, content) for key in keys]
    found = False
    for candidate in given:
        for wanted in expected:
            found |= candidate is not None and hmac.compare_digest(candidate, wanted)
    if not found:
        raise SupportError("bad_signature", "No secret of this source made this signature over this body.")


def require_recent(at: datetime, now: datetime) -> None:
    """Raise when the signed instant is more than five minutes off, in either direction."""
    if abs(now - at) > SKEW:
        raise SupportError(
            "stale_signature", "The signed time is more than five minutes off; check the sender's clock."
        )


def missing(header: str) -> SupportError:
    """Return the error for an absent or unreadable header."""
    return SupportError("bad_signature", f"The header {header} is missing or unreadable.")

"""Seals short secrets at rest under the installation's key: unreadable, unchangeable, and bound to whose they are."""

import hmac
import secrets
from dataclasses import dataclass, replace

from api.secret_key import SecretKey
from support_agents.domain.errors import SupportError

_NONCE, _TAG, LONGEST = 32, 32, 32


@dataclass(frozen=True)
class Sealing:
    """Encrypts with one block of HMAC-SHA256 over a fresh nonce, then authenticates; so at most 32 bytes at a time."""

    key: SecretKey
    purpose: str

    def seal(self, secret: bytes, *, owner: bytes) -> bytes:
        """Return nonce, sealed secret and tag."""
        if len(secret) > LONGEST:
            raise ValueError(f"at most {LONGEST} bytes can be sealed")
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._masked(secret, nonce)
        return nonce + sealed + self._tag(nonce + sealed, owner)

    def open(self, sealed: bytes, *, owner: bytes) -> bytes:
        """Return the secret, or raise when it was changed, is another owner's, or was sealed under another key."""
        for key in (self.key, *self.key.elders):
            opened = replace(self, key=key)._opened(sealed, owner)  # noqa: SLF001 - its own
            if opened is not None:
                return opened
        raise SupportError("unreadable_secret", "a stored secret does not fit this installation's key")

    def is_present(self, sealed: bytes, *, owner: bytes) -> bool:
        """Whether it was sealed under the present key, not an older one."""
        return self._opened(sealed, owner) is not None

    def _opened(self, sealed: bytes, owner: bytes) -> bytes | None:
        content, tag = sealed[:-_TAG], sealed[-_TAG:]
        if len(sealed) < _NONCE + _TAG or not hmac.compare_digest(tag, self._tag(content, owner)):
            return None
        return self._masked(content[_NONCE:], content[:_NONCE])

    def _masked(self, content: bytes, nonce: bytes) -> bytes:
        stream = hmac.digest(self.key.derived(f"{self.purpose} stream"), nonce, "sha256")
        return bytes(one ^ other for one, other in zip(content, stream, strict=False))

    def _tag(self, content: bytes, owner: bytes) -> bytes:
        named = len(owner).to_bytes(4) + owner + content
        return hmac.digest(self.key.derived(f"{self.purpose} tag"), named, "sha256")

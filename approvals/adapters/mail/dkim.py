"""Signs letters with DKIM (RFC 6376); it changes no byte of them and never shows the key.

From, To, Cc, Reply-To, Subject and Date are signed once more than they occur, so that none can be added on the way.
"""

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

import dkim

from support_agents.domain.errors import SupportError

OVERSIGNED = ("from", "to", "cc", "reply-to", "subject", "date")
_PROBE = b"From: probe@example.com\r\nSubject: probe\r\n\r\nprobe\r\n"
_LEAST_BITS = 1024
# Trace headers that servers may rewrite are not signed.
_UNSIGNED = {"return-path", "received", "comments", "keywords", "bcc", "resent-bcc", "dkim-signature"}


@dataclass(frozen=True)
class DkimSigner:
    """One key of one domain; RSA, SHA-256, relaxed on both sides."""

    selector: str
    domain: str
    key: bytes = field(repr=False)

    @classmethod
    def load(cls, path: Path, *, selector: str, domain: str) -> "DkimSigner":
        """Read the PEM key and try it; a key that cannot sign is refused at the start, not at the first letter."""
        try:
            signer = cls(selector, domain, path.read_bytes())
            bits = dkim.crypto.parse_pem_private_key(signer.key)["modulus"].bit_length()
            signer.signature(_PROBE)
        except OSError as error:
            raise SupportError("settings", f"{path} cannot be read: {error.strerror}") from error
        except (dkim.DKIMException, dkim.crypto.UnparsableKeyError, ValueError, KeyError) as error:
            raise SupportError("settings", f"{path} holds no RSA key in PEM that can sign letters") from error
        if bits < _LEAST_BITS:
            raise SupportError("settings", f"the key in {path} has {bits} bits: make one of 2048")
        return signer

    @property
    def name(self) -> str:
        """Where receivers look for the public key."""
        return f"{self.selector}._domainkey.{self.domain}"

    def signature(self, content: bytes) -> bytes:
        """Return the DKIM-Signature header that goes before the letter."""
        present = [name.lower() for name in message_from_bytes(content, policy=policy.compat32).keys()]  # noqa: SIM118
        signed = [name for name in present if name not in _UNSIGNED]
        header: bytes = dkim.sign(
            content,
            self.selector.encode(),
            self.domain.encode(),
            self.key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name.encode() for name in (*signed, *OVERSIGNED)],
        )
        return header

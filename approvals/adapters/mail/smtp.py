"""Hands letters to a mail server over SMTP, once; it never repeats a command and knows no template."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import aiosmtplib

from approvals.adapters.mail.dkim import DkimSigner
from approvals.ports import Letter, NotNow, Performed, Receipt, Refused, Unknown
from approvals.rendering import is_addr_spec, one_line

PERMANENT = 500


class MailSecurity(StrEnum):
    """How the connection is encrypted; anything but `none` is a condition, and the certificate is checked."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True)
class SmtpMailTransport:
    """One connection per letter. `ca_file` names further authorities for the server's certificate. Times in seconds."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    security: MailSecurity = MailSecurity.STARTTLS
    is_live: bool = True
    command_timeout: float = 15.0
    signer: DkimSigner | None = None
    ca_file: str | None = None

    @property
    def live(self) -> bool:
        """Whether the server delivers to real customers."""
        return self.is_live

    @property
    def dkim(self) -> str:
        """Where receivers find the key that letters are signed with."""
        return "" if self.signer is None else self.signer.name

    async def send(self, letter: Letter, *, before_data: Callable[[], Awaitable[bool]]) -> Performed:
        """Send to all recipients or to none; whatever goes wrong before DATA has sent nothing."""
        if not all(is_addr_spec(address) for address in (letter.sender, *letter.recipients)):
            return Refused("bad_address", "an address is not exactly one addr-spec")
        if self.signer is not None:
            signature = await asyncio.to_thread(self.signer.signature, letter.content)
            letter = Letter(letter.sender, letter.recipients, signature + letter.content)
        client = self._client()
        try:
            return await self._deliver(client, letter, before_data)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        encrypted = self.security is not MailSecurity.NONE
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.command_timeout,
            use_tls=self.security is MailSecurity.TLS,
            start_tls=self.security is MailSecurity.STARTTLS,
            tls_context=ssl.create_default_context(cafile=self.ca_file) if encrypted else None,
            username=self.username or None,
            password=self.password or None,
        )

    async def _deliver(
        self, client: aiosmtplib.SMTP, letter: Letter, before_data: Callable[[], Awaitable[bool]]
    ) -> Performed:
        refusal = await self._envelope(client, letter)
        if refusal is not None:
            return refusal
        if not await before_data():
            return Unknown("this attempt was no longer entitled to send, and did not")
        return await self._data(client, letter)

    async def _envelope(self, client: aiosmtplib.SMTP, letter: Letter) -> Refused | NotNow | None:
        """Connect and name sender and recipients; None when the server has accepted all of them."""
        try:
            await client.connect()
            await client.mail(letter.sender)
            for recipient in letter.recipients:
                await client.rcpt(recipient)
        except aiosmtplib.SMTPAuthenticationError as error:
            return NotNow(f"the mail server does not accept our login: {error.code}")
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error)
        except aiosmtplib.SMTPNotSupported as error:
            return Refused("not_supported", one_line(error.message))
        except (aiosmtplib.SMTPException, OSError) as error:
            return NotNow(f"the mail server could not be reached: {one_line(str(error))}")
        return None

    async def _data(self, client: aiosmtplib.SMTP, letter: Letter) -> Performed:
        """From the DATA command on, only a reply of the server tells what happened."""
        try:
            response = await client.data(letter.content)
        except aiosmtplib.SMTPDataError as error:
            # A refusal in so many words, for now or for good: nothing was taken, and a person decides what next.
            return Refused(f"smtp_{error.code}", one_line(error.message))
        except (aiosmtplib.SMTPException, OSError) as error:
            return Unknown(f"the connection was lost while the server took the letter: {one_line(str(error))}")
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
        return Receipt(one_line(response.message) or f"{response.code}")


def _refused(error: aiosmtplib.SMTPResponseException) -> Refused | NotNow:
    """Before DATA nothing has been sent, whatever the server says."""
    told = one_line(error.message)
    return Refused(f"smtp_{error.code}", told) if error.code >= PERMANENT else NotNow(f"not now: {error.code} {told}")

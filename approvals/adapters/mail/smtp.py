"""Hands letters to a mail server over SMTP, once; it never repeats a command and knows no template."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import aiosmtplib

from approvals.ports import Letter, Performed, Receipt, Refused, Unknown
from approvals.rendering import is_addr_spec, one_line

PERMANENT = 500


@dataclass(frozen=True)
class SmtpMailTransport:
    """One connection per letter; `starttls` makes an encrypted connection a condition. Times are in seconds."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True
    is_live: bool = True
    command_timeout: float = 15.0

    @property
    def live(self) -> bool:
        """Whether the server delivers to real customers."""
        return self.is_live

    async def send(self, letter: Letter, *, before_data: Callable[[], Awaitable[bool]]) -> Performed:
        """Send to all recipients or to none; whatever goes wrong before DATA has sent nothing."""
        if not all(is_addr_spec(address) for address in (letter.sender, *letter.recipients)):
            return Refused("bad_address", "an address is not exactly one addr-spec")
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.command_timeout,
            start_tls=self.starttls,
            username=self.username or None,
            password=self.password or None,
        )
        try:
            return await self._deliver(client, letter, before_data)
        finally:
            client.close()

    async def _deliver(
        self, client: aiosmtplib.SMTP, letter: Letter, before_data: Callable[[], Awaitable[bool]]
    ) -> Performed:
        refusal = await self._envelope(client, letter)
        if refusal is not None:
            return refusal
        if not await before_data():
            return Unknown("this attempt was no longer entitled to send, and did not")
        return await self._data(client, letter)

    async def _envelope(self, client: aiosmtplib.SMTP, letter: Letter) -> Refused | Unknown | None:
        """Connect and name sender and recipients; None when the server has accepted all of them."""
        try:
            await client.connect()
            await client.mail(letter.sender)
            for recipient in letter.recipients:
                await client.rcpt(recipient)
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error)
        except aiosmtplib.SMTPNotSupported as error:
            return Refused("not_supported", one_line(error.message))
        except (aiosmtplib.SMTPException, OSError) as error:
            return Unknown(f"the mail server could not be reached: {one_line(str(error))}")
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


def _refused(error: aiosmtplib.SMTPResponseException) -> Refused | Unknown:
    told = one_line(error.message)
    return Refused(f"smtp_{error.code}", told) if error.code >= PERMANENT else Unknown(f"not now: {error.code} {told}")

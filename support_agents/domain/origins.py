"""What a credential is for: one scheme, one host, one port; it resolves no name and connects nowhere."""

from typing import NamedTuple, Self
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}
_IN_NO_NAME = frozenset(" *:%[]/")


def is_name(host: str) -> bool:
    """Whether hosts of addresses can be equal to it: letters beyond a to z stand as they are, not as `xn--`."""
    return bool(host) and not _IN_NO_NAME & {*host} and not any(part.startswith("xn--") for part in host.split("."))


class Origin(NamedTuple):
    """A server as an address names it; the port is written out, also where it is the usual one."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, scheme: str, host: str, port: int | None) -> Self:
        """The same with the scheme's usual port where none is named; another scheme than http and https has 0."""
        return cls(scheme, host, _PORTS.get(scheme, 0) if port is None else port)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `files.example`, `files.example:8443` or `http://files.example:8080`; without a scheme it is https.

        Raises `ValueError` for anything else: another scheme, a path, a name and password, no name of a host or an IPv4
        address, no such port.
        """
        written = text.strip()
        parts = urlsplit(written if "://" in written else f"https://{written}")
        host = parts.hostname or ""
        has_more = parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc
        if parts.scheme not in _PORTS or not is_name(host) or has_more or parts.port == 0:
            raise ValueError("not a server's address")
        return cls.of(parts.scheme, host, parts.port)

    def __str__(self) -> str:
        """As it is written in settings."""
        return f"{self.scheme}://{self.host}:{self.port}"

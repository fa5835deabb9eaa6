"""Where a step in the shop's own systems is asked for: URL templates of the operator, filled part by part; no I/O.

Only settings name a host. A value fills exactly one path part, encoded whole; what would not stay one part is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import re2

from support_agents.domain.errors import SupportError

NAMES = frozenset({"order_id", "requester", "action"})
LONGEST_VALUE = 320
_PART = re2.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Endpoint:
    """`url` is posted to, `status_url` is asked what became of an action; both are checked when this is made."""

    url: str
    status_url: str

    def __post_init__(self) -> None:
        for template in (self.url, self.status_url):
            _check(template)
        if "{action}" not in self.status_url:
            raise SupportError("settings", f"a status address names the action: {self.status_url}/{{action}}")

    def filled(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        """Return both addresses for these values; None when one of them cannot stand in a path."""
        if not all(_fits(values.get(name, "")) for name in _named(self.url) | _named(self.status_url)):
            return None
        encoded = {name: quote(value, safe="") for name, value in values.items()}
        return _fill(self.url, encoded), _fill(self.status_url, encoded)


def _check(template: str) -> None:
    parts = urlsplit(template)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.password:
        raise SupportError(
            "settings", f"write the whole address without a login: https://shop.example/… not {template}"
        )
    if parts.query or parts.fragment or "{" in parts.netloc:
        raise SupportError("settings", f"an address has placeholders in its path only, and no query: {template}")
    unknown = _named(template) - NAMES
    if unknown or any("{" in part and not _PART.fullmatch(part) for part in parts.path.split("/")):
        raise SupportError("settings", f"a placeholder is a whole path part, one of {sorted(NAMES)}: {template}")


def _named(template: str) -> set[str]:
    return set(_PART.findall(template))


def _fits(value: str) -> bool:
    """A dot segment would climb; an empty one would name the collection; half a surrogate pair has no bytes."""
    bounded = 0 < len(value) <= LONGEST_VALUE and value.strip() == value and value not in {".", ".."}
    return bounded and value.isprintable()


def _fill(template: str, encoded: Mapping[str, str]) -> str:
    for name in _named(template):
        template = template.replace(f"{{{name}}}", encoded[name])
    return template

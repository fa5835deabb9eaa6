"""Finds the hosts that a text links to, so that a person sees every one in full; it follows no link."""

import re2

_HOST = re2.compile(r"(?i)\b(?:https?://|www\.)([^\s/<>\"'()\[\]{}|\\^`?#]{1,253})")
_MOST = 20


def hosts_in(text: str) -> tuple[str, ...]:
    """Every host that a text links to, once, in its ASCII form where it has one; at most twenty."""
    found = dict.fromkeys(_ascii(match.group(1)) for match in _HOST.finditer(text))
    return tuple(found)[:_MOST]


def strange_hosts(text: str, allowed: frozenset[str]) -> tuple[str, ...]:
    """The hosts among them that are neither allowed nor below one that is."""
    return tuple(host for host in hosts_in(text) if not _below(host, allowed))


def _below(host: str, allowed: frozenset[str]) -> bool:
    labels = host.split(".")
    return any(".".join(labels[at:]) in allowed for at in range(len(labels)))


def _ascii(authority: str) -> str:
    """Without user, port and closing punctuation; a name in other letters becomes `xn--…`, which cannot deceive."""
    host = authority.rpartition("@")[2].partition(":")[0].rstrip(".,;!").lower()
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return host

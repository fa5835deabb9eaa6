"""Checks that a draft can lead nobody astray: links only to known hosts, no hidden ones, no images that report back."""

import re

from support_agents import linear
from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.support import Support
from support_agents.domain.sections import Sentence, Severity

_IMAGE = linear.compile(r"!\[[^\]]*\]\s?[(\[]|(?i:<\s?(?:img|iframe|object|embed|svg|script|link|base|form)\b)")
_SCHEME = linear.compile(r"(?i)\b(javascript|vbscript|blob|ftp|data|file):[^\s]")
_MARKDOWN = linear.compile(r"\[([^\]]+)\]\(\s?<?([^)\s>]+)")
_URL = linear.compile(r"(?i)\bhttps?://[^\s<>\"“”)\]]+|(?:^|\s)//[\w\-]+\.[^\s<>\"“”)\]]+|\bwww\.[^\s<>\"“”)\]]+")
_NUMERIC_HOST = linear.compile(r"^(?:\d+|0x[0-9a-f]+|[\d.]+|\[?[0-9a-f:]*:[0-9a-f:.]+\]?)$")
_AUTHORITY = linear.compile(r"^(?:(?i:https?:)?//)?([^/?#\\\\\s]+)")
# One of these stands in whatever is looked for above, and in few sentences; no engine has to go back in it.
_MAY_LEAD = re.compile(r"[<:/\]]|[wW]{3}")
_LONGEST_HOST = 253


def _unsafe(sentence: Sentence, support: Support) -> str:
    """Pictures and scripts are refused wherever they come from; a link must lead where its passages lead."""
    text = sentence.text
    if not _MAY_LEAD.search(text):
        return ""
    if _IMAGE.search(text):
        return "it holds an image or other code that loads by itself"
    if match := _SCHEME.search(text):
        return f"it holds a link that starts with “{match.group(1)}:”"
    for match in _MARKDOWN.finditer(text):
        shown, target = _URL.search(match.group(1)), match.group(2)
        if shown and _host(shown.group(0)) != _host(target):
            return f"its link shows {_host(shown.group(0))} and leads to {_host(target) or 'nowhere'}"
    return next((reason for match in _URL.finditer(text) if (reason := _refused(match.group(0), support))), "")


def _refused(url: str, support: Support) -> str:
    host = _host(url)
    if not host or "@" in url.split("//", 1)[-1].split("/", 1)[0] or "\\" in url:
        return "it holds an address that hides where it leads"
    if _NUMERIC_HOST.search(host) or "xn--" in host or not host.isascii() or len(host) > _LONGEST_HOST:
        return f"its link leads to “{host}”, which is not a plain name"
    if any(_within(host, known) for known in (*support.policy.safe_hosts, *_known(support))):
        return ""
    return f"its link leads to “{host}”, which is neither ours nor in a passage"


def _within(host: str, known: str) -> bool:
    return host == known.casefold() or host.endswith(f".{known.casefold()}")


def _known(support: Support) -> frozenset[str]:
    texts = (found.passage.text for found in support.drafting.passages)
    urls = (match.group(0) for text in texts for match in _URL.finditer(text))
    macros = (match.group(0) for one in support.drafting.macros for match in _URL.finditer(one.model_dump_json()))
    return frozenset(host for url in (*urls, *macros) if (host := _host(url)))


def _host(url: str) -> str:
    """The host of an address, in small letters; empty when it has none or cannot be read."""
    match = _AUTHORITY.search(url.strip())
    authority = str(match.group(1)).rsplit("@", 1)[-1].casefold() if match else ""
    return authority if authority.startswith("[") else authority.partition(":")[0].rstrip(".")


SAFE_LINKS = SentenceRule("safe_links", Severity.DROP, _unsafe)

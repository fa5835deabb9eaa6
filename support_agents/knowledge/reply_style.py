"""What many solved replies have in common, signature and length, as the part `voice`; no sentence of one is kept."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import quantiles

from support_agents.knowledge.parsing.wire import RawArticle
from support_agents.screening.language import detect
from support_agents.screening.pii import RULES
from support_agents.screening.spans import PiiKind

_FEWEST = 20
_SHARE = 0.3  # of a language's replies that must end alike
_OTHERS = 0.1  # of those that end alike: others than whoever wrote most of them wrote so many, and to others
_LAST_LINES = 3
_MOST_LETTERS = 200
_LONGEST_READ = 10_000
_PRIVATE = frozenset((PiiKind.EMAIL, PiiKind.PHONE, PiiKind.NAME, PiiKind.ADDRESS))
# How Zendesk names channels; where it says nothing of use, replies are taken for letters.
_CHANNELS = {"email": "email", "mail": "email", "web": "email", "chat": "chat", "messaging": "chat"}


def style_of(replies: Sequence[RawArticle], default_language: str = "en") -> dict[str, object]:
    """Return a `voice` of what at least `_FEWEST` replies share; {} where there are no so many.

    A signature is taken only if it holds no personal identifier: the name of a customer, or of one of us, is nobody's
    style. Rules do not know every name, so several people must have written it, and to several: what one person alone
    writes, or writes to one alone, may be a name.
    """
    by_language: dict[str, list[RawArticle]] = defaultdict(list)
    by_channel: dict[str, list[int]] = defaultdict(list)
    for reply in replies:
        text = reply.body[:_LONGEST_READ].strip()
        by_language[detect(text, default=default_language).code].append(replace(reply, body=text))
        by_channel[_CHANNELS.get(reply.title, "email")].append(len(text.split()))
    signatures = {code: found for code, alike in sorted(by_language.items()) if (found := _signature(alike))}
    lengths = {
        channel: int(quantiles(counts, n=4)[-1])
        for channel, counts in sorted(by_channel.items())
        if len(counts) >= _FEWEST
    }
    return {
        **({"signature": signatures} if signatures else {}),
        **({"most_words": lengths} if lengths else {}),
    }


def _signature(replies: Sequence[RawArticle]) -> str:
    """Return the longest ending that enough replies have, of several people and to several."""
    if len(replies) < _FEWEST:
        return ""
    endings: dict[str, list[RawArticle]] = defaultdict(list)
    for reply in replies:
        for ending in _endings(reply.body):
            endings[ending].append(reply)
    common = [
        one
        for one, alike in endings.items()
        if len(alike) >= _SHARE * len(replies)
        and len(one) <= _MOST_LETTERS
        and _is_several([reply.author for reply in alike])
        and _is_several([reply.key for reply in alike])
    ]
    return max(common, key=len, default="")


def _is_several(people: Sequence[str]) -> bool:
    """Whether enough of these are others than the one who is there most often."""
    [(_, most)] = Counter(people).most_common(1)
    return len(people) - most >= _OTHERS * len(people)


def _endings(text: str) -> Iterator[str]:
    """Yield the last line, the last two and so on, as far as none holds what belongs to a person.

    They are judged with the lines above them: it is the closing line that tells that a name stands below it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    tail = "\n".join(lines[-2 * _LAST_LINES :])
    private = max((found.end for found in RULES.find(tail) if found.kind in _PRIVATE), default=0)
    for count in range(1, min(_LAST_LINES, len(lines) - 1) + 1):
        ending = "\n".join(lines[-count:])
        if len(tail) - len(ending) >= private:
            yield ending

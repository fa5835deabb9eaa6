"""What many solved replies have in common, signature and length, as the part `voice`; no sentence of one is kept."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import quantiles

from support_agents.knowledge.parsing.wire import RawArticle
from support_agents.screening.language import detect
from support_agents.screening.pii import RULES
from support_agents.screening.spans import PiiKind

_FEWEST = 20
_SHARE = 0.3  # of a language's replies that must end alike
_LAST_LINES = 3
_MOST_LETTERS = 200
_LONGEST_READ = 10_000
_PRIVATE = frozenset((PiiKind.EMAIL, PiiKind.PHONE, PiiKind.NAME, PiiKind.ADDRESS))
# How Zendesk names channels; where it says nothing of use, replies are taken for letters.
_CHANNELS = {"email": "email", "mail": "email", "web": "email", "chat": "chat", "messaging": "chat"}


def style_of(replies: Sequence[RawArticle], default_language: str = "en") -> dict[str, object]:
    """Return a `voice` of what at least `_FEWEST` replies share; {} where there are no so many.

    A signature is taken only if it holds no personal identifier: the name of a customer, or of one of us, is nobody's
    style.
    """
    by_language: dict[str, list[str]] = defaultdict(list)
    by_channel: dict[str, list[int]] = defaultdict(list)
    for reply in replies:
        text = reply.body[:_LONGEST_READ].strip()
        by_language[detect(text, default=default_language).code].append(text)
        by_channel[_CHANNELS.get(reply.title, "email")].append(len(text.split()))
    signatures = {code: found for code, texts in sorted(by_language.items()) if (found := _signature(texts))}
    lengths = {
        channel: int(quantiles(counts, n=4)[-1])
        for channel, counts in sorted(by_channel.items())
        if len(counts) >= _FEWEST
    }
    return {
        **({"signature": signatures} if signatures else {}),
        **({"most_words": lengths} if lengths else {}),
    }


def _signature(texts: Sequence[str]) -> str:
    """Return the longest ending that enough replies have."""
    if len(texts) < _FEWEST:
        return ""
    endings: Counter[str] = Counter()
    for text in texts:
        endings.update(_endings(text))
    common = [one for one, count in endings.items() if count >= _SHARE * len(texts) and len(one) <= _MOST_LETTERS]
    return max(common, key=len, default="")


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

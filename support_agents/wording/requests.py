"""Whether a customer tells us to do something, rather than asks whether or how it is done; it does not say what."""

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files

import yaml

from support_agents import linear

_MOST_BETWEEN = 3


@lru_cache(maxsize=64)
def tells_us_to(text: str) -> bool:
    """Whether `text`, in any of our languages, has such a request (`please cancel it`, `could you change that?`)."""
    plain = " ".join(text.casefold().replace("’", "'").replace("\n", " . ").split())
    return _pattern().search(plain) is not None


@cache
def _pattern() -> linear.Pattern:
    lists = yaml.load(
        files(__package__ or "").joinpath("requests.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    ways = []
    for one in lists.values():
        asks, between, does, orders = (_any(one[name]) for name in ("asks", "between", "does", "orders"))
        ways.append(rf"{asks},?[ '](?:{between},? ){{0,{_MOST_BETWEEN}}}{does}")
        ways.append(rf"(?:^|[.!?;:,] )(?:[.!?;:,] )*{orders}")
    return linear.compile(rf"(?:^|[^\pL\pN])(?:{'|'.join(ways)})")


def _any(words: Sequence[str]) -> str:
    return f"(?:{'|'.join(linear.escape(str(word).casefold()) for word in sorted(words, key=len, reverse=True))})"

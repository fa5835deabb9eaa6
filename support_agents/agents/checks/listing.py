"""Listed words and phrases found in a text as whole words, in linear time; it keeps no list."""

from functools import lru_cache

from support_agents import linear


def first_listed(text: str, listed: tuple[str, ...]) -> str:
    """Return the first of `listed` that stands in `text`, without regard to case; empty when none does."""
    if not listed:
        return ""
    match = _pattern(listed).search(_plain(text))
    return str(match.group(1)) if match else ""


@lru_cache(maxsize=256)
def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


@lru_cache(maxsize=256)
def _pattern(listed: tuple[str, ...]) -> linear.Pattern:
    words = "|".join(linear.escape(word.casefold()) for word in sorted(listed, key=len, reverse=True))
    return linear.compile(rf"(?:^|[^\pL\pN'])({words})(?:$|[^\pL\pN])")

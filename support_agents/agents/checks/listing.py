"""Listed words and phrases found in a text as whole words, in linear time; it keeps no list."""

from functools import lru_cache

import re2


def first_listed(text: str, listed: tuple[str, ...]) -> str:
    """Return the first of `listed` that stands in `text`, without regard to case; empty when none does."""
    if not listed:
        return ""
    match = _pattern(listed).search(" ".join(text.casefold().replace("’", "'").split()))
    return str(match.group(1)) if match else ""


@lru_cache(maxsize=256)
def _pattern(listed: tuple[str, ...]) -> "re2._Regexp":
    words = "|".join(re2.escape(word.casefold()) for word in sorted(listed, key=len, reverse=True))
    return re2.compile(rf"(?:^|[^\pL\pN'])({words})(?:$|[^\pL\pN])")

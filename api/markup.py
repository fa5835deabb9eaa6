"""Which HTML from outside may be parsed at all: a parser's time grows with the square of what a stranger can nest."""

import re2

# A formatted mail has a tenth of that; at these bounds the worst takes a tenth of a second.
_LONGEST, _MOST_TAGS = 100_000, 5_000
_UNSEEN = re2.compile(r"(?is)<!--.*?-->|<(?:style|script|head|title)\b.*?</(?:style|script|head|title)\s*>")


def is_bounded(markup: str) -> bool:
    """Whether a parser gets through it in no time."""
    return len(markup) <= _LONGEST and markup.count("<") <= _MOST_TAGS


def without_tags(markup: str) -> str:
    """Drop what looks like a tag, in one pass and without parsing; what is left is still to be escaped as text."""
    seen: str = _UNSEEN.sub("", markup)
    text, *parts = seen.split("<")
    return text + "".join(map(_behind_tag, parts))


def _behind_tag(part: str) -> str:
    """What follows the tag that a `<` began, or all of it where that began none."""
    is_tag = part[:1].isalpha() or part.startswith(("/", "!", "?"))
    return part.partition(">")[2] if is_tag else f"<{part}"

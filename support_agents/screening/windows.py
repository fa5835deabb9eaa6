"""A text as windows that are judged one by one, so that one bad sentence shows in a long letter; it changes none."""

from support_agents import linear

SHORT = 200  # characters: what one embedding of about 40 tokens takes in; such a text is one window
_FEWEST, _LONGEST = 20, 400
_END = linear.compile(r"[.!?…]+[\"'”’»)\]]*(?:\s+|$)|[。！？]+|\n+|\|")
_ABBREVIATION = linear.compile(r"(?i)(?:^|[\s(])(?:e\.g|i\.e|etc|vs|nr|mr|mrs|ms|dr|st|inc|ltd|co|approx|z\.b|\p{L})$")

Span = tuple[int, int]


def windows(text: str) -> tuple[Span, ...]:
    """Return spans of whole sentences in order; what is too short to judge joins its neighbour, the endless is cut."""
    spans: list[Span] = []
    start = 0
    for end in (*_ends(text), len(text)):
        if len(text[start:end].strip()) >= _FEWEST or (end == len(text) and not spans):
            spans += _cut(start, end)
            start = end
    if text[start:].strip() and spans:
        spans[-1] = (spans[-1][0], len(text))
    return tuple(spans)


def _ends(text: str) -> list[int]:
    return [
        match.end()
        for match in _END.finditer(text)
        if not (match.group().startswith(".") and _ABBREVIATION.search(text[max(0, match.start() - 8) : match.start()]))
    ]


def _cut(start: int, end: int) -> list[Span]:
    return [(at, min(end, at + _LONGEST)) for at in range(start, end, _LONGEST)]

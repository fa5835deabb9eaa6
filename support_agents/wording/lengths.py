"""The length that a text names, in centimetres: what a size is chosen by; other measures are not read."""

from support_agents import linear

_METRES = linear.compile(
    r"(?i)(?:^|[^\pL\pN.,])([12])(?:[.,]| ?m ?)([0-9]{2}) ?(?:m|metres?|meters?|metros?|mètres?)?(?:[^\pL\pN]|$)"
)
_CENTIMETRES = linear.compile(r"(?i)(?:^|[^\pL\pN.,])([0-9]{2,3}) ?(?:cm|centimet(?:re|er)s?|tall)(?:[^\pL]|$)")
_METRE = 100


def centimetres_in(text: str) -> int | None:
    """Return the only length in `text` (`1.86 m`, `1m86`, `186 cm`); None where none is named, or several are."""
    found = {_METRE * int(match.group(1)) + int(match.group(2)) for match in _METRES.finditer(text)}
    found |= {int(match.group(1)) for match in _CENTIMETRES.finditer(text)}
    return found.pop() if len(found) == 1 else None

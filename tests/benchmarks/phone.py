"""How much of a phone's screen a Slack message takes, in points, counted the same for everything; it is pure.

A phone of 390 × 844 points: status bar 47, Slack's bar 52, composer 90 and home bar 34 leave 621. Beside the avatar a
line is 300 points wide, which is about 42 characters of text (20 points high) or 50 of small print (17 high). Blocks
stand 8 points apart. Buttons are 44 high, three short ones to a row, rows 8 apart.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

SCREEN = 844 - 47 - 52 - 90 - 34
_TEXT, _WIDE, _QUOTED = 20, 42, 38
_SMALL, _SMALL_WIDE = 17, 50
_GAP, _BUTTON, _BUTTONS_A_ROW = 8, 44, 3


def height_of(drawn: Mapping[str, Any]) -> int:
    """Return the height of a message or a view in points."""
    blocks = drawn["blocks"]
    return sum(_block(block) for block in blocks) + _GAP * max(0, len(blocks) - 1)


def scrolls_of(height: int) -> int:
    """Return how many times a person must move on to have seen all of it."""
    return max(0, math.ceil(height / SCREEN) - 1)


def _block(block: Mapping[str, Any]) -> int:
    match block["type"]:
        case "section" | "header":
            return _TEXT * _wrapped(block["text"]["text"], _WIDE)
        case "context":
            return _SMALL * sum(_wrapped(element["text"], _SMALL_WIDE) for element in block["elements"])
        case "rich_text":
            return sum(_rich(part) for part in block["elements"])
        case "actions":
            return _actions(block["elements"])
        case "input":
            text = block["element"].get("initial_value", "")
            return _SMALL + _TEXT * max(2, _wrapped(text, _QUOTED))
        case _:
            return _TEXT


def _rich(part: Mapping[str, Any]) -> int:
    text = "".join(element.get("text", element.get("url", " ")) for element in part["elements"])
    return _TEXT * _wrapped(text, _QUOTED if part["type"] == "rich_text_quote" else _WIDE)


def _actions(elements: Iterable[Mapping[str, Any]]) -> int:
    boxes = [element for element in elements if "options" in element]
    buttons = sum("options" not in element for element in elements)
    ticks = sum(_wrapped(option["text"]["text"], _QUOTED) for box in boxes for option in box["options"])
    return ticks * _TEXT + (_BUTTON + _GAP) * math.ceil(buttons / _BUTTONS_A_ROW)


def _wrapped(text: str, width: int) -> int:
    return sum(max(1, math.ceil(len(line) / width)) for line in text.split("\n"))

"""How much of a phone's screen a Slack message takes, in points, counted the same for everything; it is pure.

A phone of 390 × 844 points: status bar 47, Slack's bar 52, composer 90 and home bar 34 leave 621. Beside the avatar a
line is 300 points wide, which is about 42 characters of text (20 points high) or 50 of small print (17 high); lines
break between words. Above the blocks stands who sent it (20), and over what only one person sees that it is so (17).
Blocks stand 8 points apart. Buttons are 44 high, three short ones to a row, rows 8 apart.

Slack publishes none of these. They are taken from what its app shows at the phone's own text size, on the small side
of what fits: texts in one block of small print are counted as a line each, though short ones share a line, and a
fourth short button as a row of its own, though it may find room.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

SCREEN = 844 - 47 - 52 - 90 - 34
_TEXT, _WIDE, _QUOTED = 20, 42, 38
_SMALL, _SMALL_WIDE = 17, 50
_GAP, _BUTTON, _BUTTONS_A_ROW = 8, 44, 3
_SENDER, _WHISPERED = 20, 17


def height_of(drawn: Mapping[str, Any]) -> int:
    """Return the height of a message that one person is shown, or of a view, in points."""
    blocks = drawn["blocks"]
    frame = 0 if drawn.get("type") == "modal" else _SENDER + _WHISPERED
    return frame + sum(_block(block) for block in blocks) + _GAP * max(0, len(blocks) - 1)


def scrolls_of(height: int) -> int:
    """Return how many times a person must move on to have seen all of it."""
    return max(0, math.ceil(height / SCREEN) - 1)


def _block(block: Mapping[str, Any]) -> int:
    match block["type"]:
        case "section" | "header":
            return _TEXT * lines_of(block["text"]["text"], _WIDE)
        case "context":
            return _SMALL * sum(lines_of(element["text"], _SMALL_WIDE) for element in block["elements"])
        case "rich_text":
            return sum(_rich(part) for part in block["elements"])
        case "actions":
            return _actions(block["elements"])
        case "input":
            return _SMALL + _input(block["element"])
        case _:
            return _TEXT


def _rich(part: Mapping[str, Any]) -> int:
    text = "".join(element.get("text", element.get("url", " ")) for element in part["elements"])
    return _TEXT * lines_of(text, _QUOTED if part["type"] == "rich_text_quote" else _WIDE)


def _input(element: Mapping[str, Any]) -> int:
    if element["type"] == "plain_text_input":
        return _TEXT * max(2, lines_of(element.get("initial_value", ""), _QUOTED))
    return _ticks(element) if element["type"] == "checkboxes" else _BUTTON


def _actions(elements: Sequence[Mapping[str, Any]]) -> int:
    """Ticks one below the other, then the rows of everything that is as high as a button."""
    boxes = [element for element in elements if element["type"] == "checkboxes"]
    buttons = [element for element in elements if element["type"] != "checkboxes"]
    rows = math.ceil(len(buttons) / _BUTTONS_A_ROW)
    return sum(_ticks(box) for box in boxes) + rows * _BUTTON + _GAP * max(0, rows - 1)


def _ticks(box: Mapping[str, Any]) -> int:
    return sum(_option(option) for option in box["options"])


def _option(option: Mapping[str, Any]) -> int:
    described: str = option.get("description", {}).get("text", "")
    small = lines_of(described, _SMALL_WIDE) if described else 0
    return _TEXT * lines_of(option["text"]["text"], _QUOTED) + _SMALL * small


def lines_of(text: str, width: int) -> int:
    """Return the lines that a text takes, broken between words; a word wider than a line is broken within."""
    return sum(_wrapped(line, width) for line in text.split("\n"))


def _wrapped(line: str, width: int) -> int:
    lines, used = 1, 0
    for word in line.split(" "):
        if used and used + 1 + len(word) > width:
            lines, used = lines + 1, 0
        used += len(word) + (1 if used else 0)
        lines, used = lines + max(0, math.ceil(used / width) - 1), (used - 1) % width + 1 if used else 0
    return lines

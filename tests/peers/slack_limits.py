"""Slack's limits on blocks and views, as its documentation and its refusals tell them; not made from our code."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
ALL_BLOCKS_CHARACTERS = 13_200
SECTION_TEXT, HEADER_TEXT, BUTTON_TEXT, BUTTON_VALUE = 3_000, 150, 75, 2_000
ACTION_ID, BLOCK_ID, CALLBACK_ID = 255, 255, 255
ACTIONS_ELEMENTS, CONTEXT_ELEMENTS, CHECKBOX_OPTIONS, SELECT_OPTIONS = 25, 10, 10, 100
OPTION_TEXT, OPTION_VALUE, INPUT_LENGTH, LABEL_TEXT = 75, 150, 3_000, 2_000
VIEW_TITLE, PRIVATE_METADATA, FALLBACK = 24, 3_000, 40_000
URL = 3_000
MESSAGE_TYPES = {"section", "context", "actions", "rich_text", "divider", "header"}
VIEW_TYPES = MESSAGE_TYPES | {"input"}
RICH = {"rich_text_section", "rich_text_quote", "rich_text_list", "rich_text_preformatted"}
INLINE = {"text", "link", "date", "user", "usergroup", "emoji", "channel", "broadcast"}


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def message_problems(message: Json) -> list[str]:
    """What Slack would refuse in a message."""
    blocks = message.get("blocks", [])
    found = list(_blocks(blocks, MESSAGE_TYPES, MESSAGE_BLOCKS))
    size = units(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
    if size > ALL_BLOCKS_CHARACTERS:
        found.append(f"msg_blocks_too_long: {size}")
    if not message.get("text", "").strip():
        found.append("no fallback text")
    if len(message.get("text", "")) > FALLBACK:
        found.append("msg_too_long")
    return found


def view_problems(view: Json) -> list[str]:
    """What Slack would refuse in a modal or a home tab."""
    found = list(_blocks(view.get("blocks", []), VIEW_TYPES, VIEW_BLOCKS))
    if len(view.get("private_metadata", "")) > PRIVATE_METADATA:
        found.append("private_metadata")
    if len(view.get("callback_id", "")) > CALLBACK_ID:
        found.append("callback_id")
    if view["type"] == "modal":
        for name in ("title", "submit", "close"):
            if name in view:
                found += _plain(view[name], VIEW_TITLE, name)
        if "title" not in view:
            found.append("a modal needs a title")
        if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
            found.append("a modal with inputs needs a submit button")
    elif view["type"] != "home":
        found.append(f"view of type {view['type']}")
    return found


def _blocks(blocks: list[Json], types: set[str], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"{len(blocks)} blocks"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id twice"
    actions = [name for block in blocks if block["type"] != "input" for name in _action_ids(block)]
    if len(actions) != len(set(actions)):
        yield "action_id twice"
    for at, block in enumerate(blocks):
        if block["type"] not in types:
            yield f"{at}: block {block['type']}"
        elif len(block.get("block_id", "")) > BLOCK_ID:
            yield f"{at}: block_id"
        else:
            yield from (f"{at}: {problem}" for problem in _block(block))


def _block(block: Json) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from _plain(block["text"], SECTION_TEXT, "section")
            if "accessory" in block:
                yield from _element(block["accessory"])
        case "context" | "actions" | "rich_text":
            yield from _elements(block)
        case "input":
            yield from _plain(block["label"], LABEL_TEXT, "label")
            yield from _element(block["element"])
        case "header":
            yield from _plain(block["text"], HEADER_TEXT, "header")


def _elements(block: Json) -> Iterator[str]:
    elements, kind = block["elements"], block["type"]
    most = {"context": CONTEXT_ELEMENTS, "actions": ACTIONS_ELEMENTS}.get(kind, MESSAGE_BLOCKS)
    if not 1 <= len(elements) <= most:
        yield f"{kind} with {len(elements)} elements"
    for element in elements:
        match kind:
            case "context":
                yield from _plain(element, SECTION_TEXT, kind)
            case "actions":
                yield from _element(element)
            case _:
                yield from _rich(element)


def _rich(part: Json) -> Iterator[str]:
    if part["type"] not in RICH:
        yield f"rich text {part['type']}"
        return
    if not part["elements"]:
        yield "empty rich text"
    for element in part["elements"]:
        if element["type"] not in INLINE:
            yield f"rich text element {element['type']}"
        if element["type"] == "text" and not 1 <= units(element["text"]) <= SECTION_TEXT:
            yield "rich text of a wrong length"
        if element["type"] == "link" and not element["url"].startswith(("https://", "http://")):
            yield "link that is none"


def _element(element: Json) -> Iterator[str]:
    if len(element.get("action_id", "")) > ACTION_ID or not element.get("action_id"):
        yield "action_id"
    match element["type"]:
        case "button":
            yield from _plain(element["text"], BUTTON_TEXT, "button")
            if len(element.get("value", "")) > BUTTON_VALUE or len(element.get("url", "")) > URL:
                yield "button value"
            if element.get("style", "primary") not in {"primary", "danger"}:
                yield "button style"
        case "checkboxes":
            yield from _options(element, CHECKBOX_OPTIONS)
        case "static_select":
            yield from _options(element, SELECT_OPTIONS)
        case "plain_text_input":
            if units(element.get("initial_value", "")) > element.get("max_length", INPUT_LENGTH):
                yield "initial_value longer than max_length"
            if element.get("max_length", INPUT_LENGTH) > INPUT_LENGTH:
                yield "max_length"
        case other:
            yield f"element {other}"


def _options(element: Json, most: int) -> Iterator[str]:
    options = element["options"]
    if not 1 <= len(options) <= most:
        yield f"{len(options)} options"
    if "initial_options" in element and not element["initial_options"]:
        yield "empty initial_options"
    chosen = [element["initial_option"]] if "initial_option" in element else []
    for option in [*element.get("initial_options", []), *chosen]:
        if option not in options:
            yield "initial option that is none"
    for option in options:
        yield from _plain(option["text"], OPTION_TEXT, "option")
        if not 1 <= len(option["value"]) <= OPTION_VALUE:
            yield "option value"


def _plain(text: Json, limit: int, what: str) -> Iterator[str]:
    if text["type"] != "plain_text":
        yield f"{what}: {text['type']} where only plain text is safe"
    if not text["text"].strip() or units(text["text"]) > limit:
        yield f"{what} of {units(text['text'])} units"


def _action_ids(block: Json) -> Iterator[str]:
    for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
        if isinstance(element, dict) and "action_id" in element:
            yield element["action_id"]


def texts_in(node: Any) -> Iterator[tuple[str, str]]:
    """Every text with the type of the object that it stands in."""
    if isinstance(node, Mapping):
        if isinstance(node.get("text"), str):
            yield str(node.get("type", "message")), node["text"]
        for child in node.values():
            yield from texts_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from texts_in(child)

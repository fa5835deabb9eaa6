"""Articles made by rule for benchmarks: several products, topics and steps; equal every time, no two passages alike."""

from itertools import product

from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Article
from support_agents.knowledge.chunking import passages_of
from support_agents.ports import ChunkedArticle

_PRODUCTS = tuple(
    f"{first} {second} {kind}"
    for first, second, kind in product(
        ("Oak", "Brass", "Linen", "Slate", "Copper", "Ash", "Pearl", "Amber", "Cedar", "Onyx"),
        ("Reading", "Floor", "Desk", "Wall", "Garden"),
        ("Lamp", "Light", "Lantern"),
    )
)
_TOPICS = (
    ("Returning it", "send it back in its box", "the return label", "working days"),
    ("Warranty", "claim a repair", "the receipt", "months"),
    ("Delivery", "follow the parcel", "the tracking number", "working days"),
    ("Changing the bulb", "unscrew the old bulb", "a bulb of the right base", "minutes"),
    ("Cleaning", "wipe the shade", "a dry cloth", "weeks"),
    ("Dimming", "turn the knob", "the dimmer", "seconds"),
    ("Invoices", "download the invoice", "your account page", "hours"),
    ("Spare parts", "order the part", "the part number", "days"),
)
_SECTIONS = ("In short", "What you need", "Step by step", "When it does not work")


def chunked(passages: int) -> list[ChunkedArticle]:
    """Return articles with exactly so many passages in all, about four an article."""
    made: list[ChunkedArticle] = []
    left = passages
    for number, (edition, product_, topic) in enumerate(product(range(1, 40), _PRODUCTS, _TOPICS)):
        held = passages_of(_article(number, f"{product_} {edition}", topic), DEFAULT_WORKSPACE)[:left]
        made.append(ChunkedArticle(_article(number, f"{product_} {edition}", topic), held))
        left -= len(held)
        if not left:
            return made
    raise ValueError(f"only {passages - left} passages can be made")


def _article(number: int, name: str, topic: tuple[str, str, str, str]) -> Article:
    title, doing, tool, unit = topic
    body = "\n\n".join(
        f"## {section}\n\nTo {doing} with the {name}, keep {tool} at hand; "
        f"it takes about {2 + (number + at) % 29} {unit}. "
        f"Customers of model {number}-{at} write to us first when something is missing, and we answer within a day. "
        f"Never open the housing of the {name} while it is plugged in."
        for at, section in enumerate(_SECTIONS)
    )
    return Article(id=f"a{number}", title=f"{name}: {title}", body=body, content_hash=str(number))

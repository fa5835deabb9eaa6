"""Finds order numbers as customers write them; it never says whose an order is, nor that it exists."""

from collections.abc import Iterator

from support_agents import linear
from support_agents.domain.intent import Entity, EntityKind

_LONGEST = 12  # digits; more is a card, a phone with country code, or a tracking number
_CODE = r"(?:[A-Za-z]{1,4}-?)?\d{3,17}(?:-(?:\d{1,9}|[A-Za-z])\b){0,3}"
_KEYWORDS = (
    r"orders?|ordernummer|order-?nr|ordren?|ordrenummer|ordrenr|purchase"
    r"|bestellungen?|bestellung|bestellnummern?|bestell-?nr|auftrag|auftragsnummer|auftrags-?nr"
    r"|pedidos?|orden|encomendas?|commandes?|ordin[ei]|bestelling(?:en)?|bestelnummer|bestelnr"
    r"|zam[óo]wieni(?:e|a|u|em)|zam[óo]wie[ńn]|best[äa]llning(?:snummer)?|bestilling(?:snummer)?"
)
_FILLERS = (
    r"numbers?|no|nr|num|nbr|id|ids|ref|reference|code|nummern?|n[úu]meros?|num[ée]ro|numer|numery"
    r"|is|are|was|ist|lautet|mit|met|with|der|die|the|con|el|com|avec|le|z|o|es|est|è|é|jest|to|av|of|(?:n[°ºo]?)"
)
_MARK = r"[\s:.#=°º(\[\"'\x{201e}\x{201c}\x{201d}*_-]"
_GAP = rf"(?:{_MARK}{{0,4}}(?:{_FILLERS})){{0,4}}{_MARK}{{1,5}}"
_NAMED = linear.compile(rf"(?i)(?:{_KEYWORDS}){_GAP}({_CODE}|[A-Z]{{2,4}} \d{{4,10}})")
_NEXT = linear.compile(rf"(?i)(?:\s?[,;/&+]\s?|\s(?:and|und|y|e|et|en|i|och|og|or|oder|ou)\s)+#?({_CODE})")
_HASH = linear.compile(r"#\s?((?:[A-Za-z]{1,4}-?)?\d{3,17}(?:-\d{1,9})?)")
_PREFIXED = linear.compile(r"([A-Za-z]{2,4}-\d{3,10}(?:-\d{1,6})?|[A-Z]-\d{4,10}|[A-Z]{2,4}\d{4,10}|[a-z]{2,3}\d{5,7})")
_REVERSED = linear.compile(
    rf"(?i)#?({_CODE})[)\]\"'”]?,?\s(?:(?:is|ist|es|est|è|é|jest|was|for|my|the|our|meine|die|mi|el|ma|mon|le"
    rf"|mio|il|mijn|meu|minha|o|a|to|moje)\s){{1,3}}(?:{_KEYWORDS})"
)
_ALONE = linear.compile(
    r"(?i)\s*(?:(?:hi|hello|hey|hallo|hola|sure|ok|okay|yes|it|it['\x{2019}]s|its|is|here|the|number|this|das|ist|die|nummer"
    r"|es|el|número|c['\x{2019}]est|le|numéro|è|il|numero|het|nr|no|to|numer)[\s:,.!]{1,4}){0,6}#?(\d{4,12})[\s.!]*"
)
# A code after one of these words, or with one of these prefixes, is something else.
_OTHER = linear.compile(
    r"(?i)(?:ticket|case|invoice|rechnung|rechnungsnr|factura|facture|fattura|factuur|fatura|faktura|tracking|voucher"
    r"|coupon|sku|item|article|artikel|phone|tel|telefon|model|serial|customer|kunden|iban|vat|ref)"
    r"(?:nummer|number)?[\s:.#]*(?:number|no|nr|id|code)?[\s:.#]*$"
)
_OTHER_PREFIXES = frozenset(
    [
        *("iso", "din", "utf", "rfc", "sku", "inv", "tel", "fax", "vat", "iban", "bic", "eur", "usd", "gbp", "chf"),
        *("pln", "cad", "aud", "cvv", "pin", "zip", "plz", "no", "nr", "top", "ps", "rtx", "gtx", "usb", "mp", "bs"),
        *("wh", "ip", "ap", "us", "uk", "de", "fr", "it", "es", "nl", "at", "ch", "be", "pl", "pt", "may", "jan"),
        *("feb", "mar", "apr", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "room", "gate", "page", "part"),
        *("size", "case"),
    ]
)
_AHEAD = 60  # characters: a joining word and a code fit
_SHORTEST_BARE = 4  # digits; "order 2 shirts" and "orders 100" name no order


def find_orders(text: str) -> Iterator[Entity]:
    """Yield order numbers in upper case without `#`, overlaps left to the caller; bare digits as written."""
    alone = _ALONE.fullmatch(text)
    if alone:
        yield _entity(text, *alone.span(1))
        return
    for match in _NAMED.finditer(text):
        if not text[match.start() - 1 : match.start()].isalpha() or match.start() == 0:
            yield from _named(text, *match.span(1), marked="#" in match.group())
    for match in _REVERSED.finditer(text):
        yield from _named(text, *match.span(1), marked=False)
    for match in _HASH.finditer(text):
        if not _after_other(text, match.start()):
            yield from _checked(text, *match.span(1))
    for match in _PREFIXED.finditer(text):
        if not _other_prefix(match.group(1)) and not _after_other(text, match.start()):
            yield from _checked(text, *match.span(1))


def _named(text: str, start: int, end: int, *, marked: bool) -> Iterator[Entity]:
    """Yield the code that an order word names, and those listed after it: `orders 88213, 88214 and 88215`."""
    while True:
        found = tuple(_checked(text, start, end))
        bare = text[start:end].isdigit()
        if not found or (bare and not marked and end - start < _SHORTEST_BARE):
            return
        yield from found
        following = _NEXT.match(text[end : end + _AHEAD])
        if not following:
            return
        (start, end), marked = (end + place for place in following.span(1)), False


def _checked(text: str, start: int, end: int) -> Iterator[Entity]:
    """Yield the code as an entity, unless it is part of something longer."""
    digits = sum(c.isdigit() for c in text[start:end])
    groups = text[start:end].count("-")
    if digits <= _LONGEST + 5 * (groups > 1) and not _part_of_longer(text, start, end):
        yield _entity(text, start, end)


def _part_of_longer(text: str, start: int, end: int) -> bool:
    """Whether digits or letters go on at either side: cards in groups of four, phones, decimals, e-mail names."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 3]
    if before.isalnum() or before in {"+", "@", "/", "."} or after[:1].isalnum() or after[:1] in {"@", "%"}:
        return True
    if before == "-" and text[start - 2 : start - 1].isalnum():
        return True
    goes_on = after[:1] in {"-", ".", ",", "/", " "} and after[1:2].isdigit()
    return goes_on and (after[:1] != "," or after[1:3].isdigit()) and not _listed(text, end)


def _listed(text: str, end: int) -> bool:
    """Whether what follows after a comma is another whole code, as in `88213,88214`."""
    following = _NEXT.match(text[end : end + _AHEAD])
    return following is not None and sum(c.isdigit() for c in following.group(1)) >= _SHORTEST_BARE


def _after_other(text: str, start: int) -> bool:
    return bool(_OTHER.search(text[max(0, start - 40) : start]))


def _other_prefix(code: str) -> bool:
    prefix = code.rstrip("0123456789-").lower()
    digits = len(code) - len(prefix) - code.count("-")
    vat_number = "-" not in code and len(prefix) == 2 and digits > 7  # noqa: PLR2004 - DE123456789, GB123456789
    return prefix in _OTHER_PREFIXES or vat_number


def _entity(text: str, start: int, end: int) -> Entity:
    value = text[start:end].upper().replace(" ", "-")
    return Entity(kind=EntityKind.ORDER_ID, value=value, start=start, end=end)

"""Whether a message gives a postal address, and whether a reply asks for one; it reads no address."""

from support_agents import linear

_POSTCODE = linear.compile(
    r"(?:^|[^\pL\pN-])(?:[0-9]{4,5}(?: ?[A-Z]{2})? +\p{Lu}\p{Ll}{2,}"
    r"|[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}(?:[^\pL\pN]|$))"
)
_ASKS = linear.compile(
    r"(?i)(?:reply|send us|write to us|tell us)[^.?!]{0,60}\baddress"
    r"|antworten sie[^.?!]{0,60}adresse|(?:senden|schreiben|nennen) sie uns[^.?!]{0,60}adresse"
    r"|(?:responde|envíanos|escríbenos)[^.?!]{0,60}dirección|(?:répondez|envoyez|écrivez)[^.?!]{0,60}adresse"
)


def gives_address(text: str) -> bool:
    """Whether a postcode with its town, or a British one, stands in `text`."""
    return _POSTCODE.search(text) is not None


def asks_for_address(said: str) -> bool:
    """Whether a reply, in any of our languages, wants an address to be sent."""
    return _ASKS.search(said) is not None

"""Customer HTML made harmless: a few tags of text, no attribute that acts, loads or styles; it is never trusted."""

import nh3
from markupsafe import Markup, escape

from api.markup import is_bounded, without_tags
from approvals.visible import plain

_TEXT = {"b", "br", "code", "em", "hr", "i", "p", "pre", "s", "span", "strong", "sub", "sup", "u"}
_BLOCKS = {"blockquote", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "li", "ol", "ul"}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
# Dropped with what is in them; of every other tag the text stays.
_WHOLE = {"head", "iframe", "math", "noscript", "object", "script", "select", "style", "svg", "template", "textarea"}
_CLEANER = nh3.Cleaner(
    tags=_TEXT | _BLOCKS | _TABLES,
    clean_content_tags=_WHOLE | {"title"},
    attributes={"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    generic_attribute_prefixes=set(),
    url_schemes=set(),
    link_rel=None,
)


def harmless(html: str) -> Markup:
    """Return the fragment with text tags only: no address can be followed, nothing is loaded, htmx finds nothing.

    Of one that would take long to parse only the text is left.
    """
    if not is_bounded(html):
        return escape(plain(without_tags(html)))
    return Markup(plain(_CLEANER.clean(html)))  # noqa: S704 - the cleaner's output is the one HTML we let through

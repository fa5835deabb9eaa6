"""Finding our own marker – an attempt's key, `action id . generation` – in what comes back; whose it is SQL decides."""

import re2

_MARKER = re2.compile(r"\b([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.[0-9]{1,4})\b")


def find_marker(text: str) -> str | None:
    """Return the first thing that has a marker's shape."""
    found = _MARKER.search(text)
    return found.group(1) if found else None

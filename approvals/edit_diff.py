"""What a person changed in a reply, as a unified diff; it keeps every character of both texts that differ."""

import difflib


def diff_of(before: str, after: str) -> str:
    """Return the lines that differ with one line around them; a line without its end says so."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, "before", "after", n=1)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end\n" for line in lines)

"""A text as whole sentences; it never cuts inside one and never changes a character."""

from support_agents import linear

_END = linear.compile(r"[.!?…]+[\"'”’»)\]]*\s+|[。！？]+[」』）]*\s*|\n+")
_ABBREVIATIONS = frozenset(
    (
        "e.g",
        "i.e",
        "etc",
        "vs",
        "no",
        "nr",
        "mr",
        "mrs",
        "ms",
        "dr",
        "st",
        "approx",
        "incl",
        "excl",
        "max",
        "min",
        "art",
        "fig",
        "dept",
        "est",
        "ca",
        "bzw",
        "z.b",
        "d.h",
        "u.a",
        "ggf",
        "inkl",
        "zzgl",
        "p.ej",
        "sr",
        "sra",
        "p.ex",
        "env",
        "cf",
    )
)


def sentences(text: str) -> tuple[str, ...]:
    """Split `text` at sentence ends and line breaks; abbreviations, initials and list numbers do not end a sentence."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        if _ends(text, start, match.start(), match.group()) and text[match.end() :].strip():
            found.append(text[start : match.end()].strip())
            start = match.end()
    found.append(text[start:].strip())
    return tuple(sentence for sentence in found if sentence)


def _ends(text: str, start: int, at: int, mark: str) -> bool:
    if "\n" in mark or mark[0] != ".":
        return True
    words = text[start:at].split()
    last = words[-1].lstrip("(\"'“‘").casefold() if words else ""
    following = text[at + len(mark) : at + len(mark) + 1]
    is_initial = len(last) == 1 and last.isalpha()
    is_number_of_item = last.isdigit() and len(words) == 1
    return not (last in _ABBREVIATIONS or is_initial or is_number_of_item or following.islower())

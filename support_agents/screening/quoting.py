"""The words a customer wrote this time: without quoted history, signature and device lines; it never adds a word."""

from collections.abc import Sequence

from support_agents import linear

_QUOTED = linear.compile(r"^[ \t]{0,3}>")
# "On 3 May 2026, at 10:15, Ann wrote:" in the languages most tickets come in; clients wrap it over two lines.
_ATTRIBUTION = linear.compile(
    r"(?i)^\s*(?:"
    r"on\b.+\bwrote|am\b.+\bschrieb.*|le\b.+(?:a écrit)|el\b.+\bescribió"
    r"|il\b.+\bha scritto|op\b.+\bschreef.*|em\b.+\bescreveu|(?:den|d\.)\b.+\bskrev.*"
    r"|(?:w dniu|dnia)\b.+(?:napisał|pisze).*|\d{4}[./年-].+(?:のメール|写道|wrote)"
    r")\s*[:：]\s*$"
)
_ORIGINAL = linear.compile(
    r"(?i)^\s*(?:-{2,}|_{2,}|={2,})\s*(?:original message|forwarded message|ursprüngliche nachricht|originalnachricht"
    r"|weitergeleitete nachricht|message d'origine|message transféré|mensaje original|mensaje reenviado"
    r"|messaggio originale|messaggio inoltrato|oorspronkelijk bericht|mensagem original|reply above this line"
    r"|please type your reply above this line)\b.*$|^\s*#{2,}-? ?please type your reply above this line.*$"
    r"|^\s*begin forwarded message:\s*$"
)
_FROM = linear.compile(r"(?i)^\s*\*?(?:from|von|de|da|van|od|från|fra)\s*:\*?\s+\S")
_HEADER = linear.compile(
    r"(?i)^\s*\*?(?:sent|date|to|subject|cc|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto"
    r"|inviato|data|a|oggetto|verzonden|aan|onderwerp|assunto)\s*:\*?\s+\S"
)
_RULE = linear.compile(r"^\s*[_=-]{10,}\s*$")
_SIGNATURE = linear.compile(r"^-- ?$|^\x{2014}$")
_DEVICE = linear.compile(
    r"(?i)^\s*(?:sent (?:from|via) (?:my|mail|outlook|yahoo|proton|the)\b.*|get outlook for .*"
    r"|von mein\w* .+ gesendet.*|gesendet (?:von|mit|über) .+|diese nachricht wurde von mein\w* .* gesendet.*"
    r"|envoyé (?:de|depuis) .+"
    r"|enviado (?:desde|do|de) .+|inviato da .+|verzonden vanaf .+|verstuurd vanaf .+"
    r"|skickat från .+|sendt fra .+|wysłano z .+|iphoneから送信.*)$"
)
_WRAPPED_LINES, _LONGEST_ATTRIBUTION = 3, 300
_HEADER_WINDOW = 4


def newest(text: str) -> str:
    """Return what was newly written; if nothing is left (a bare forward), the text without its quote marks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            kept.append("")
            at += 1
            continue
        after = _after_attribution(lines, at)
        if after:
            if not _is_quoted_below(lines, after):
                break
            at = after
        elif _starts_history(lines, at) or _SIGNATURE.search(lines[at]):
            break
        else:
            if not (_QUOTED.search(lines[at]) or _DEVICE.search(lines[at])):
                kept.append(lines[at].rstrip())
            at += 1
    return _tidied(kept) or _tidied([line.lstrip("> \t") for line in lines])


def _after_attribution(lines: Sequence[str], at: int) -> int:
    """Return the line after an attribution that starts at `at` (it may be wrapped), or 0 if none does."""
    for count in range(1, min(_WRAPPED_LINES, len(lines) - at) + 1):
        joined = " ".join(lines[at : at + count]).rstrip()
        is_short = joined.endswith((":", "\uff1a")) and len(joined) <= _LONGEST_ATTRIBUTION
        if is_short and _ATTRIBUTION.search(joined):
            return at + count
    return 0


def _is_quoted_below(lines: Sequence[str], at: int) -> bool:
    """Whether the history is marked line by line, so that words below it are the customer's own."""
    following = next((line for line in lines[at:] if line.strip()), "")
    return bool(_QUOTED.search(following))


def _starts_history(lines: Sequence[str], at: int) -> bool:
    if _ORIGINAL.search(lines[at]):
        return True
    first = next((n for n in range(at, min(at + 2, len(lines))) if _FROM.search(lines[n])), None)
    if first is None or (first != at and not _RULE.search(lines[at])):
        return False
    below = lines[first + 1 : first + 1 + _HEADER_WINDOW]
    return sum(bool(_HEADER.search(line)) for line in below) >= 2  # noqa: PLR2004 - From and two more make a header


def _tidied(lines: Sequence[str]) -> str:
    """Join lines with at most one blank one between paragraphs."""
    joined: list[str] = []
    for line in lines:
        if line.strip() or (joined and joined[-1]):
            joined.append(line.strip() and line)
    return "\n".join(joined).strip()

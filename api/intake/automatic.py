"""Recognising auto-replies and bulk mail by their headers and subjects; it never looks at what a person wrote."""

from collections.abc import Mapping

import re2

_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_ALWAYS = ("x-autoreply", "x-autorespond", "x-auto-reply", "list-id", "list-unsubscribe", "feedback-id")
_SENDERS = ("mailer-daemon@", "postmaster@", "bounce@", "bounces@")

# Anchored at the start: a person's answer to such a mail begins with "Re:". A bounce is known by a server's very words:
# what it took for one would be answered by nobody, and people write "Undelivered parcel".
_SUBJECT = re2.compile(
    r"(?i)^\s*\[?(?:"
    r"auto(?:matic|mated)?[ -]?(?:reply|response|answer)|out of (?:the )?office|i am out of (?:the )?office"
    r"|automatische (?:antwort|abwesenheits\w*)|abwesenheitsnotiz|abwesend\s*(?::|$)|abwesenheits?meldung"
    r"|r[ée]ponse automatique|absence du bureau|message d'absence"
    r"|respuesta autom[áa]tica|fuera de (?:la )?oficina|risposta automatica|fuori sede|resposta autom[áa]tica"
    r"|automatisch antwoord|afwezig\w*:|autosvar|automaattinen vastaus"
    r"|undeliverable:|undelivered mail returned to sender|delivery status notification"
    r"|mail delivery (?:failed:|failure\b|subsystem)|returned mail:|failure notice\s*$"
    r"|(?:unzustellbar|nicht zustellbar):"
    r")"
)


def is_automatic(*, subject: str, sender: str, headers: Mapping[str, str]) -> bool:
    """Whether a machine sent this mail; `headers` may be empty, names in any case."""
    lowered = {name.lower(): value.strip().lower() for name, value in headers.items()}
    return (
        lowered.get("auto-submitted", "no").split(";")[0].strip() not in {"no", ""}
        or lowered.get("precedence", "") in _BULK
        or lowered.get("return-path") == "<>"
        or any(name in lowered for name in _ALWAYS)
        or sender.lower().startswith(_SENDERS)
        or bool(_SUBJECT.search(subject))
    )

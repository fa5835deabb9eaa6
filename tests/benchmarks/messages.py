"""Benchmark messages: the demo shop's, varied by rule – other customers, orders, tickets and wording; no randomness."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.demo import shop
from support_agents.screening.language import detect

# A round of variation moves every order number of the shop by so many, into a range of its own.
STEP = 200
_ORDER = re.compile(r"HW-(\d{5})")
_NAMES = ("Mira", "Jonas", "Aisha", "Tomasz", "Lena", "Diego", "Freya", "Samir", "Nora", "Emil", "Yara")
_LAST_LINES: Mapping[str, tuple[str, ...]] = {
    "en": ("", "I would be glad of a quick answer.", "Please reply by e-mail.", "It is a bit urgent for me."),
    "de": ("", "Über eine schnelle Antwort freue ich mich.", "Bitte antworten Sie per E-Mail.", "Es eilt ein wenig."),
    "es": ("", "Agradezco una respuesta rápida.", "Por favor, respondan por correo.", "Me corre algo de prisa."),
    "fr": ("", "Merci de me répondre vite.", "Répondez-moi par e-mail, s'il vous plaît.", "C'est un peu urgent."),
}
_BY = {"en": "by {} January", "de": "bis zum {}. Januar", "es": "antes del {} de enero", "fr": "avant le {} janvier"}


@dataclass(frozen=True)
class Sample:
    """One customer message, complete but for its date."""

    ticket: str
    fields: Mapping[str, Any]

    def body(self, at: datetime | None = None) -> bytes:
        """Return the webhook body, dated now unless told otherwise."""
        stamp = (at or datetime.now(UTC)).isoformat()
        return json.dumps(self.fields, ensure_ascii=False).replace("{now}", stamp).encode()


def samples(count: int, *, series: str, first: int = 0) -> tuple[Sample, ...]:
    """Return messages `first` to `first + count`, each on a ticket of its own; two series share no ticket.

    Nearly all are worded alike only once, so what the server remembers of one does not help with the next.
    """
    known = _templates()
    numbers = range(first, first + count)
    return tuple(_varied(known[at % len(known)], at // len(known), f"{series}{at:05d}") for at in numbers)


def orders_csv(count: int) -> str:
    """Return the shop's orders, once more for every round that `count` messages take."""
    header, *rows = shop.ORDERS.read_text(encoding="utf-8").splitlines()
    rounds = count // len(_templates()) + 1
    moved = [_moved_order(row, at) for at in range(rounds) for row in rows if row.strip()]
    return "\n".join([header, *moved, ""])


def _templates() -> list[str]:
    """The shop's messages without the one that repeats another."""
    return list({message.key: message.template for message in shop.messages()}.values())


def _varied(template: str, round_: int, ticket: str) -> Sample:
    fields: dict[str, Any] = json.loads(_ORDER.sub(lambda found: _number(found, round_), template))
    requester, message = fields["ticket"]["requester"], fields["message"]
    first = requester["name"].split(" ")[0]
    name = _NAMES[round_ % len(_NAMES)] if round_ else first
    requester["name"] = requester["name"].replace(first, name)
    requester["email"] = _moved_email(requester["email"], round_)
    message["text"] = _reworded(message["text"].replace(first, name), round_)
    message["id"], fields["ticket"]["id"] = f"M-{ticket}", ticket
    return Sample(ticket, fields)


def _reworded(text: str, round_: int) -> str:
    """Add a date to every question and a line before or after the whole, in the customer's language."""
    if not round_:
        return text
    language = detect(text, default="en").code
    language = language if language in _LAST_LINES else "en"
    line = _LAST_LINES[language][round_ % len(_LAST_LINES[language])]
    dated = re.sub(r"\s*\?+", f" {_BY[language].format(1 + round_ % 30)}?", text)
    return f"{line} {dated}".strip() if round_ % 2 else f"{dated}\n{line}".strip()


def _number(found: re.Match[str], round_: int) -> str:
    return f"HW-{int(found[1]) + round_ * STEP}"


def _moved_email(email: str, round_: int) -> str:
    local, _, domain = email.partition("@")
    return f"{local}.{round_}@{domain}" if round_ else email


def _moved_order(row: str, round_: int) -> str:
    order, email, rest = row.split(",", 2)
    moved = ",".join((_ORDER.sub(lambda found: _number(found, round_), order), _moved_email(email, round_), rest))
    return re.sub(r"PAY-(\d+)", lambda found: f"PAY-{int(found[1]) + round_ * 1_000_000}", moved)

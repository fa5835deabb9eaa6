"""The demo shop's content – articles, orders, policy, messages – as it is shipped; it never changes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

SHOP = Path(__file__).with_name("shop")
ARTICLES = SHOP / "articles"
ORDERS = SHOP / "orders.csv"
POLICY = SHOP / "policy.yaml"
MACROS = SHOP / "macros"
AUTHORITY = SHOP / "authority.yaml"
VECTORS = SHOP / "vectors.npz"
MESSAGES = SHOP / "messages.jsonl"
_NOW = "{now}"


@dataclass(frozen=True)
class ShopMessage:
    """One customer message: what it is about, and the webhook body, as a template."""

    about: str
    template: str

    def body(self, now: datetime) -> bytes:
        """Return the body to send, dated."""
        return self.template.replace(_NOW, now.isoformat()).encode()

    @property
    def ticket(self) -> str:
        """The helpdesk's number of its ticket."""
        return str(self._fields["ticket"]["id"])

    @property
    def subject(self) -> str:
        """The ticket's subject."""
        return str(self._fields["ticket"]["subject"])

    @property
    def key(self) -> str:
        """What a second delivery of the same message has in common with the first."""
        return str(self._fields["message"]["id"])

    @property
    def _fields(self) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = json.loads(self.template)
        return fields


def messages() -> tuple[ShopMessage, ...]:
    """Return all messages in the order in which they come in."""
    rows = (json.loads(line) for line in MESSAGES.read_text(encoding="utf-8").splitlines() if line.strip())
    return tuple(ShopMessage(row["about"], json.dumps(row["body"], ensure_ascii=False)) for row in rows)

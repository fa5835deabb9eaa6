"""The books: every effect outside against what people decided; it asks no product code."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.pool import NullPool

from db.base import Base
from db.upgrade import _blocking

TABLES = Base.metadata.tables
EFFECTS = ("refund", "mail", "comment")
MANAGERS = {"manager", "admin"}
OPEN = {"scheduled", "executing"}
Row = Mapping[str, Any]


def reader(url: str) -> Engine:
    """A connection of its own to the tables, by another driver than the product's."""
    return create_engine(_blocking(url), poolclass=NullPool if url.startswith("postgres") else None)


@dataclass(frozen=True)
class Books:
    """All rows that tell of decisions and effects, and the outside's own lines."""

    executions: Mapping[str, Row]
    requests: Mapping[str, Row]
    decisions: Sequence[Row]
    tickets: Mapping[UUID, Row]
    outside: Sequence[Mapping[str, Any]]

    @classmethod
    def read(
        cls, engine: Engine, outside: Sequence[Mapping[str, Any]], *, tickets: Collection[UUID] | None = None
    ) -> "Books":
        """Read everything, or what belongs to some tickets; executions and requests by their action."""
        requests = TABLES["approval_requests"]
        asked = (
            select(requests.c.id) if tickets is None else select(requests.c.id).where(requests.c.ticket_id.in_(tickets))
        )
        keys = {"executions": "request_id", "approval_requests": "id", "decisions": "request_id"}
        queries = {name: select(TABLES[name]).where(TABLES[name].c[key].in_(asked)) for name, key in keys.items()}
        queries["tickets"] = select(TABLES["tickets"])
        if tickets is not None:
            queries["tickets"] = queries["tickets"].where(TABLES["tickets"].c.id.in_(tickets))
        with engine.connect() as connection:
            rows = {
                name: [dict(row) for row in connection.execute(query).mappings()] for name, query in queries.items()
            }
        return cls(
            executions={str(row["action_id"]): row for row in rows["executions"]},
            requests={str(row["action_id"]): row for row in rows["approval_requests"]},
            decisions=rows["decisions"],
            tickets={row["id"]: row for row in rows["tickets"]},
            outside=outside,
        )

    @property
    def effects(self) -> list[Mapping[str, Any]]:
        """What reached customers, as the outside knows it."""
        return [line for line in self.outside if line["what"] in EFFECTS]


@dataclass
class Verdict:
    """What was found wrong; nothing, if all is well."""

    unapproved: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Everything, each with its kind."""
        return [
            f"{kind}: {each}"
            for kind, found in (("unapproved", self.unapproved), ("doubled", self.doubled), ("lost", self.lost))
            for each in found
        ]


def never(books: Books) -> Verdict:
    """What must not be at any moment, in the midst of everything: an effect unapproved, changed or doubled."""
    verdict = Verdict()
    for effect in books.effects:
        verdict.unapproved += _unapproved(books, effect)
    for action, count in Counter(effect["action"] for effect in books.effects).items():
        if count > 1:
            verdict.doubled.append(f"{action} has {count} effects")
    verdict.unapproved += _unclicked(books)
    verdict.lost += [
        f"{action} is said to have happened and has not"
        for action, row in books.executions.items()
        if row["status"] == "succeeded" and not _happened(books, action)
    ]
    return verdict


def at_rest(books: Books) -> Verdict:
    """What must not be when nothing moves any more: besides, nothing is open and nobody waits in vain."""
    verdict = never(books)
    for action, row in books.executions.items():
        verdict.lost += [f"{action} {why}" for why in _unfinished(books, action, row)]
    verdict.lost += [f"{action} was approved and nothing came of it" for action in _forgotten(books)]
    return verdict


def _unapproved(books: Books, effect: Mapping[str, Any]) -> Iterator[str]:
    """Whether enough people decided on exactly these bytes, by the rows and by what people know they clicked."""
    action = effect["action"]
    request = books.requests.get(action)
    if request is None:
        yield f"{action}: nobody was ever asked"
        return
    mine = [row for row in books.decisions if row["request_id"] == request["id"]]
    approving = {
        row["operator_id"] for row in mine if row["verdict"] == "approve" and row["digest"] == request["digest"]
    }
    managers = {row["operator_id"] for row in mine if row["verdict"] == "approve" and row["role"] in MANAGERS}
    if len(approving) < request["approvals_needed"] or len(managers) < request["managers_needed"]:
        yield f"{action}: {len(approving)} people, {len(managers)} managers"
    if any(row["verdict"] == "reject" for row in mine):
        yield f"{action}: was rejected"
    if hashlib.sha256(request["canonical"]).hexdigest() != request["digest"]:
        yield f"{action}: the bytes are not those of the digest"
    if _told(effect) != _approved(json.loads(request["canonical"]), effect["what"]):
        yield f"{action}: other than approved"


def _unclicked(books: Books) -> Iterator[str]:
    """Approvals on record of which nobody knows that they gave them."""
    clicks = {(line["person"], line["digest"]) for line in books.outside if line["what"] == "click"}
    for row in books.decisions:
        if row["verdict"] == "approve" and (str(row["operator_id"]), row["digest"]) not in clicks:
            yield f"{row['request_id']}: {row['operator_id']} never approved it"


def _told(effect: Mapping[str, Any]) -> tuple[Any, ...]:
    match effect["what"]:
        case "refund":
            return effect["payment"], effect["minor"], effect["currency"]
        case "mail":
            return tuple(effect["to"]), effect["subject"], effect["text"].replace("\r\n", "\n")
        case _:
            return effect["ticket"], effect["html"]


def _approved(action: Mapping[str, Any], what: str) -> tuple[Any, ...]:
    match what:
        case "refund":
            return action["payment_ref"], action["amount"]["minor"], action["amount"]["currency"]
        case "mail":
            return (*action["to"], *action["cc"]), action["subject"], action["text"]
        case _:
            return action["external_ticket"], action["html"]


def _happened(books: Books, action: str) -> bool:
    return any(effect["action"] == action for effect in books.effects)


def _unfinished(books: Books, action: str, row: Row) -> Iterator[str]:
    """Whether an execution at rest is at its true end, or in front of a person."""
    ticket, request = books.tickets[row["ticket_id"]], books.requests[action]
    status, happened = row["status"], _happened(books, action)
    # A ticket that has moved on was taken up by a newer run, which puts its own answer in front of people.
    seen = bool(ticket["needs_person_reason"]) or ticket["revision"] > request["ticket_revision"]
    if status in OPEN:
        yield f"is still {status}"
    if status == "in_doubt" and (row["next_check_at"] is not None or not row["reason"]):
        yield "is in doubt, and neither asked about nor in front of a person"
    if status in {"failed", "cancelled", "superseded"}:
        if happened:
            yield f"is {status}, but has happened"
        if not seen:
            yield f"ended {status} in silence"


def _forgotten(books: Books) -> Iterator[str]:
    """Approved, and neither carried out nor waiting for something that may still happen."""
    for action, request in books.requests.items():
        if request["status"] != "approved" or action in books.executions:
            continue
        first = str(request["after_action_id"])
        asked, done = books.requests.get(first), books.executions.get(first)
        waits = done["status"] in {*OPEN, "in_doubt"} if done else asked is not None and asked["status"] == "pending"
        if not waits:
            yield action

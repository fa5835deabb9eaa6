"""Replies that one look can judge: one template, one policy version, nothing different but verified slots."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from approvals.authority import require_not_own
from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.card import LARGEST_SHEET, Sheet, SheetLength, SheetRow
from approvals.card_reading import CardReader, blocked_by
from approvals.desk import CLAIM
from approvals.interactions import About
from approvals.ports import Person
from approvals.queue import ApprovalQueue, Decided
from approvals.rendering import plain
from approvals.screenful import rows_that_fit
from approvals.wording import Tone
from db.engine import Database
from db.read_models.desk import held_until, replies_waiting
from db.read_models.queue import QueueItem, queue_items
from db.uow import UnitOfWork
from support_agents.domain.approval import DecisionVerdict
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId
from support_agents.domain.runs import Sections
from support_agents.domain.sections import Rung, Verdict
from support_agents.domain.ticket import TicketSnapshot

Slots = Callable[[Sections, TicketSnapshot], Mapping[str, str]]

# How many of the oldest replies a sheet is made from: a phone shows a few of them, a long sheet twenty.
_LOOKED_AT = {SheetLength.SCREEN: 60, SheetLength.LONG: 200}
_SMALLEST = 2
# Rungs whose words are ours: a template, sentences of articles, or one question. A model's prose is free text.
_WRITTEN_BY_US = frozenset({Rung.MACRO, Rung.EXTRACTIVE, Rung.CLARIFY})
_SHORTEST_SLOT = 3
_LONGEST_ROW = 300  # what differs is shown whole or not on a sheet
_SHOWN_NAMES = {"customer.name": "customer", "customer.first_name": "customer"}


@dataclass(frozen=True)
class Alike:
    """A reply taken apart: its template with slots, and what stands in them."""

    key: str
    template: str
    slots: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RowResult:
    """What came of one row."""

    request_id: RequestId
    decided: Decided | None
    why_not: str = ""


@dataclass(frozen=True)
class Batches:
    """Makes sheets and decides their rows, one decision and digest each; `slots` gives verified facts as written."""

    database: Database
    queue: ApprovalQueue
    cards: CardReader
    slots: Slots

    async def sheet(self, person: Person, length: SheetLength = SheetLength.SCREEN) -> Sheet | None:
        """The largest group of replies that differ in verified slots only; None where there are not two.

        Its rows are marked as this person's for as long as a card taken from the queue is.
        """
        made = await self._made(person, length)
        if made is not None:
            async with self.database.write("sheet") as uow:
                until = await uow.now() + CLAIM
                for row in made.rows:
                    await uow.card_claims.take(person.workspace, row.request_id, person.operator_id, until=until)
        return made

    async def _made(self, person: Person, length: SheetLength) -> Sheet | None:
        groups: dict[str, list[tuple[Alike, QueueItem]]] = defaultdict(list)
        async with self.database.read() as uow:
            ids = await replies_waiting(uow, person.workspace, person.operator_id, limit=_LOOKED_AT[length])
            for item in await queue_items(uow, [RequestId(each) for each in ids]):
                alike = await self._alike(uow, item, person)
                if alike is not None:
                    groups[alike.key].append((alike, item))
            for group in sorted(groups.values(), key=len, reverse=True):
                rows = await self._rows(uow, group)
                sheet = _sheet_of(group[0], rows, length) if len(rows) >= _SMALLEST else None
                if sheet is not None:
                    return sheet
        return None

    async def require_still(self, person: Person, ticked: Sequence[About], still: timedelta) -> None:
        """Refuse a tap on a sheet that came in another's place less than a moment ago."""
        async with self.database.read() as uow:
            since = await uow.now() - still
            until = [await held_until(uow, person.operator_id, about.request_id) for about in ticked]
        if any(each is not None and each - CLAIM > since for each in until):
            raise SupportError("changed_just_now", "this sheet came a moment ago: look at it, then decide")

    async def approve(self, person: Person, ticked: Sequence[About]) -> tuple[RowResult, ...]:
        """Decide every ticked row by itself; what has changed since the sheet was made is refused and told.

        The rows must still be alike: a sheet that was tampered with approves nothing that needs a look of its own.
        """
        if len(ticked) > LARGEST_SHEET:
            raise SupportError("invalid", f"at most {LARGEST_SHEET} rows are approved together")
        keys = await self._keys(person, ticked)
        common = {key for key in keys.values() if key}
        results = []
        for about in ticked:
            if len(common) != 1 or not keys.get(about.request_id):
                results.append(RowResult(about.request_id, None, "it needs a look of its own: open its card"))
            else:
                results.append(await self._decide(person, about))
        return tuple(results)

    async def _decide(self, person: Person, about: About) -> RowResult:
        try:
            decided = await self.queue.decide(
                about.request_id, digest=about.digest, verdict=DecisionVerdict.APPROVE, person=person
            )
        except SupportError as error:
            return RowResult(about.request_id, None, error.message)
        return RowResult(about.request_id, decided)

    async def _keys(self, person: Person, ticked: Sequence[About]) -> dict[RequestId, str]:
        async with self.database.read() as uow:
            items = await queue_items(uow, [about.request_id for about in ticked])
            mine = [item for item in items if item.request.workspace_id == person.workspace]
            found = {item.request.id: await self._alike(uow, item, person) for item in mine}
        return {request: alike.key if alike else "" for request, alike in found.items()}

    async def _rows(self, uow: UnitOfWork, group: Sequence[tuple[Alike, QueueItem]]) -> list[SheetRow]:
        """As many rows as a sheet holds; a group of one is none."""
        rows: list[SheetRow] = []
        for alike, item in group if len(group) >= _SMALLEST else ():
            row = await self._row(uow, item, alike)
            rows += [row] if row is not None else []
            if len(rows) == LARGEST_SHEET:
                break
        return rows

    async def _row(self, uow: UnitOfWork, item: QueueItem, alike: Alike) -> SheetRow | None:
        """A row for the sheet; None for a card that would make anybody stop."""
        card = await self.cards.card_of(uow, item)
        if card.flags or not card.approvable or card.high_risk or card.verdict.tone is not Tone.GOOD:
            return None
        told = any(value in card.order.text for _, value in alike.slots)
        order = card.order.model_copy(update={"text": ""}) if told else card.order
        row = SheetRow(request_id=card.request_id, digest=card.digest, words=card.words, order=order, slots=alike.slots)
        return row if len(row.line) <= _LONGEST_ROW else None

    async def _alike(self, uow: UnitOfWork, item: QueueItem, person: Person) -> Alike | None:
        """Take a reply apart; None for anything but an unedited, unflagged draft in our own words."""
        action = unseal(Sealed(item.request.canonical, item.request.digest))
        sections = item.run.sections
        if not isinstance(action, CanonicalReply) or not _is_plain_case(item, action, person):
            return None
        slots = dict(self.slots(sections, await uow.tickets.snapshot(item.ticket)))
        # A greeting may use the whole name or the first part of it.
        slots["customer.name"] = item.ticket.requester_name.strip()
        slots["customer.first_name"] = slots["customer.name"].partition(" ")[0]
        template, found = _taken_apart(action.text, slots)
        versions = json.dumps(dict(item.run.versions), sort_keys=True)
        clauses = ",".join(f"{clause.id}@{clause.version}" for clause in action.clauses)
        language = sections.screening.language if sections.screening else ""
        origin = (*_origin(sections), language, action.way, str(action.live), clauses, versions, template)
        return Alike(hashlib.sha256("\n".join(origin).encode()).hexdigest(), template, found)


def _sheet_of(first: tuple[Alike, QueueItem], rows: Sequence[SheetRow], length: SheetLength) -> Sheet | None:
    """The rows as a sheet; None where no two of them stand on a screen: they are better seen as cards."""
    alike, item = first
    name, version = _name_of(item), _version_of(item, alike)
    title, lines = f"{name} · {version} · 20 more after these · 20 of 20 approved", [row.line for row in rows]
    most = rows_that_fit(title, alike.template, lines) if length is SheetLength.SCREEN else len(rows)
    if most < _SMALLEST:
        return None
    return Sheet(
        sheet_id=alike.key[:32],
        template=name,
        version=version,
        text=alike.template,
        rows=tuple(rows[:most]),
        length=length,
        left=len(rows) - len(rows[:most]),
    )


def _version_of(item: QueueItem, alike: Alike) -> str:
    """The macros with their versions; for words of no macro, the beginning of what tells them apart."""
    draft = item.run.sections.draft
    return draft.prompt_version if draft is not None and draft.rung is Rung.MACRO else alike.key[:8]


def _is_plain_case(item: QueueItem, action: CanonicalReply, person: Person) -> bool:
    sections, request = item.run.sections, item.request
    draft, compliance = sections.draft, sections.compliance
    if draft is None or compliance is None or compliance.verdict is not Verdict.PASS:
        return False
    try:
        require_not_own(person.email, item.ticket.requester_email)
    except SupportError:
        return False
    unflagged = sections.screening is not None and not sections.screening.injection and not blocked_by(action)
    ours = draft.rung in _WRITTEN_BY_US and action.text == plain(draft.text)
    alone = request.approvals_needed == 1 and request.supersedes_id is None and request.after_action_id is None
    return unflagged and ours and alone and not (item.superseded or action.attachments or action.cc)


def _origin(sections: Sections) -> tuple[str, ...]:
    draft = sections.draft
    return () if draft is None else (draft.rung, draft.model, draft.prompt_version)


def _taken_apart(text: str, slots: Mapping[str, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Put slot names where verified values stand as whole words; the longest values first."""
    found: dict[str, str] = {}
    usable = {value: name for name, value in sorted(slots.items(), reverse=True) if len(value) >= _SHORTEST_SLOT}
    if not usable:
        return text, ()
    # Values are escaped and tried at word edges only: the pattern is a plain list of words, without repetition.
    listed = "|".join(re.escape(value) for value in sorted(usable, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)(?:{listed})(?!\w)")

    def named(match: re.Match[str]) -> str:
        name = usable[match[0]]
        found.setdefault(_SHOWN_NAMES.get(name, name.rpartition(".")[2].replace("_", " ")), match[0])
        return "{" + name + "}"

    return pattern.sub(named, text), tuple(found.items())


def _name_of(item: QueueItem) -> str:
    sections = item.run.sections
    intent = sections.intent.top.name if sections.intent and sections.intent.intents else "reply"
    return intent.replace("_", " ")

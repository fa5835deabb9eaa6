"""Makes cards from stored rows, the same for every surface; it changes nothing and shows nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from approvals.asked import asked_words
from approvals.canonical import AnyAction, AnyStep, CanonicalRefund, CanonicalReply, CanonicalStep, Sealed, unseal
from approvals.card import (
    Card,
    CustomerWords,
    Evidence,
    Findings,
    Letter,
    Line,
    More,
    Payment,
    Step,
)
from approvals.card_state import state_of
from approvals.fuller import fuller_of
from approvals.item_lines import cost_of, customer, file_line, file_named, flags_of
from approvals.order_line import order_line, short_order_line
from approvals.outside_links import strange_hosts
from approvals.provenance import editor_of, waits_for
from approvals.quoting import fold
from approvals.seed_cover import covered
from approvals.verdict_line import VerdictLine, verdict_of
from approvals.visible import unseen_in
from approvals.wording import KINDS, OUTCOMES, WAYS, Badge, Tone, milliseconds, words
from db.read_models.queue import QueueItem, queue_item
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import RequestStatus
from support_agents.domain.ids import RequestId
from support_agents.domain.runs import Rechecked, Sections
from support_agents.domain.ticket import Message, TicketSnapshot

Recheck = Callable[[Sections, TicketSnapshot, str], Rechecked]
_MOST_EVIDENCE = 8
_LONGEST_SAID = 6_000


@dataclass(frozen=True)
class CardReader:
    """Reads cards; `recheck` judges an edit as the run's own checks did, `hosts` are those our replies may link to."""

    recheck: Recheck
    console_url: str = ""
    hosts: frozenset[str] = frozenset()

    async def read(self, uow: UnitOfWork, request_id: RequestId) -> Card | None:
        """The card of a request as it stands in this unit of work; None when there is no such request."""
        item = await queue_item(uow, request_id)
        return None if item is None else await self.card_of(uow, item)

    async def card_of(self, uow: UnitOfWork, item: QueueItem) -> Card:
        """The card of a request that has been read."""
        item = covered(item)
        request = item.request
        action = unseal(Sealed(request.canonical, request.digest))
        edited = isinstance(action, CanonicalReply) and request.supersedes_id is not None
        sections = item.run.sections
        if isinstance(action, CanonicalReply) and edited:
            sections = await self._rechecked(uow, item, action.text)
        verdict = verdict_of(action, sections)
        pending = request.status is RequestStatus.PENDING
        claims = await uow.card_claims.on([request.id])
        waiting = await waits_for(uow, request)
        flags = (*flags_of(item, beside=waiting), *self._warnings(item, action))
        return Card(
            workspace=request.workspace_id,
            request_id=request.id,
            ticket_id=request.ticket_id,
            digest=request.digest,
            customer=customer(item.ticket),
            subject=item.ticket.subject,
            words=words_of(item),
            order=_line(short_order_line(sections.plan)),
            letter=_letter(action) if isinstance(action, CanonicalReply) else None,
            payment=_payment(action) if isinstance(action, CanonicalRefund) else None,
            step=_step(action) if isinstance(action, CanonicalStep) else None,
            edited_by=await editor_of(uow, request) if edited else "",
            waits_for=waiting,
            verdict=_findings(verdict),
            flags=tuple(_line(flag) for flag in flags),
            blocked=blocked_by(action),
            state=state_of(item, await uow.now()),
            more=_more(item, sections),
            claimed_by=claims[request.id].name if pending and request.id in claims else "",
            fuller=await fuller_of(uow, item) is not None,
            high_risk=_is_high_risk(item, verdict, flags),
            intent=sections.intent.top.name if sections.intent and sections.intent.intents else "",
            language=sections.screening.language if sections.screening else "",
            amount_minor=request.amount_minor,
            currency=request.currency,
            created_at=request.created_at,
            expires_at=request.expires_at,
            console_url=f"{self.console_url}/console/requests/{request.id}" if self.console_url else "",
        )

    async def _rechecked(self, uow: UnitOfWork, item: QueueItem, text: str) -> Sections:
        """The run's sections with the person's text and its own verdict in the draft's place."""
        sections = item.run.sections
        rechecked = self.recheck(sections, await uow.tickets.snapshot(item.ticket), text)
        draft = sections.draft and sections.draft.model_copy(update={"sentences": rechecked.sentences})
        return sections.model_copy(update={"draft": draft, "compliance": rechecked.compliance})

    def _warnings(self, item: QueueItem, action: AnyAction) -> tuple[Badge, ...]:
        """What only a surface for short cards has to say in words: hidden characters, links to strange hosts."""
        said = item.customer_message.text if item.customer_message else ""
        warnings = []
        if unseen_in(f"{said}{item.ticket.subject}{customer(item.ticket)}"):
            warnings.append(Badge("the message has characters that nobody can see", Tone.CARE))
        if isinstance(action, CanonicalReply):
            strange = strange_hosts(action.text, self.hosts)
            warnings += [Badge(f"links to {host}", Tone.CARE) for host in strange]
        return tuple(warnings)


def words_of(item: QueueItem) -> CustomerWords:
    """What the customer asks, in at most 300 characters of theirs, and the names of what they attached.

    The run's own reading takes off greeting and signature and says where the asks stand; it is gone by only while it is
    word for word a part of what was written, and nothing in that was read as an attempt to instruct the software.
    """
    message, sections = item.customer_message, item.run.sections
    if message is None:
        return CustomerWords(text="")
    said, screened = _said(message), sections.screening
    trusted = screened is not None and not screened.injection and not item.superseded
    asks = [ask.text for ask in sections.intent.asks] if trusted and sections.intent else []
    if trusted and screened and " ".join(screened.clean_text.split()) in " ".join(said.split()):
        said = screened.clean_text or said
    return asked_words(said, asks, [file_line(each) for each in message.attachments])


def _said(message: Message) -> str:
    return fold(message.text.strip("\n")).fresh.strip()


def blocked_by(action: AnyAction) -> tuple[str, ...]:
    """Why nobody may approve these bytes from a card: what leaves must be what is seen."""
    unseen = unseen_in("".join(_leaving(action)))
    return (f"It contains characters that nobody can see: {', '.join(unseen)}. Edit it first.",) if unseen else ()


def _leaving(action: AnyAction) -> tuple[str, ...]:
    match action:
        case CanonicalReply():
            return (*action.to, *action.cc, action.sender, action.subject, action.text)
        case CanonicalRefund():
            return (action.order_id, action.account_last4, action.payment_ref, action.requester)
        case CanonicalStep():
            return (action.order_id, action.requester, action.url, action.body)


def _is_high_risk(item: QueueItem, verdict: VerdictLine, flags: tuple[Badge, ...]) -> bool:
    """Money, a step in the shop's own systems, more than one person, or anything that should make people stop."""
    request = item.request
    alarming = verdict.tone is Tone.BAD or any(flag.tone is Tone.BAD for flag in flags)
    return request.kind is not ActionKind.SEND_REPLY or request.approvals_needed > 1 or alarming


def _letter(action: CanonicalReply) -> Letter:
    return Letter(
        to=", ".join(action.to),
        cc=action.cc,
        subject=action.subject,
        text=action.text,
        way=WAYS[action.way],
        live=action.live,
        attachments=tuple(file_named(each.filename, each.content_type, each.size) for each in action.attachments),
        signed_by=action.dkim,
    )


def _payment(action: CanonicalRefund) -> Payment:
    amount, last4 = str(action.amount), action.account_last4
    return Payment(amount=amount, order_id=action.order_id, account_last4=last4, live=action.live)


def _step(action: AnyStep) -> Step:
    return Step(
        what=KINDS[action.kind],
        order_id=action.order_id,
        requester=action.requester,
        way=WAYS[action.way],
        live=action.live,
        url=action.url,
        body=action.body,
    )


def _more(item: QueueItem, sections: Sections) -> More:
    run, message = item.run, item.customer_message
    top = sections.intent.top if sections.intent and sections.intent.intents else None
    citations = [c for s in (sections.draft.sentences if sections.draft else ()) for c in s.citations]
    quotes = dict.fromkeys((c.title, c.quote) for c in citations)
    took = (run.finished_at - run.received_at).total_seconds() * 1000
    return More(
        said=_said(message)[:_LONGEST_SAID] if message else "",
        order=order_line(sections.plan).text,
        intent=words(top.name) if top else "",
        confidence=f"{top.probability:.0%}" if top else "",
        cost=cost_of(run),
        took=f"{milliseconds(took)} ms",
        rung=OUTCOMES[run.outcome].text,
        evidence=tuple(Evidence(title=title, quote=quote) for title, quote in tuple(quotes)[:_MOST_EVIDENCE]),
    )


def _line(badge: Badge) -> Line:
    return Line(text=badge.text, tone=badge.tone)


def _findings(verdict: VerdictLine) -> Findings:
    return Findings(line=verdict.line, tone=verdict.tone, problems=verdict.problems, detail=verdict.detail)

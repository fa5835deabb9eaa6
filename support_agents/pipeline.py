"""The orchestrator: which agents run, what runs at once and each one's share; it judges nothing an agent should."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from support_agents.admission import BUSY, Lane
from support_agents.agents.debate import DebateAgent
from support_agents.agents.intent import IntentGiven
from support_agents.agents.protocol import Agent, SentenceCheck, Streaming
from support_agents.agents.retrieval import RetrievalGiven
from support_agents.attempt import HIGH, argued, survived
from support_agents.closing import Closing
from support_agents.composing.choosing import Matched
from support_agents.conversation import earlier
from support_agents.domain.errors import Failed, Ok, SupportError
from support_agents.domain.intent import EntityKind
from support_agents.domain.knowledge import Audience, RetrievedPassage
from support_agents.domain.macro import OrderUse
from support_agents.domain.orders import NotTheirs, UnknownOrder
from support_agents.domain.runs import Outcome, Run, Sections
from support_agents.domain.sections import (
    ComplianceGiven,
    ComplianceSection,
    DraftingGiven,
    IntentSection,
    OrderAnswer,
    PlanSection,
    RetrievalSection,
    ScreeningSection,
    Sentence,
    Writer,
)
from support_agents.domain.ticket import Author, TicketSnapshot
from support_agents.domain.voice import Voice
from support_agents.intents.entities import find_entities
from support_agents.ladder import TOO_BUSY, Ladder
from support_agents.llm.recorded import CallLog
from support_agents.macros import Circumstanced, Macros, Meant, Wanted, chosen, order_meant, order_wanted, with_macros
from support_agents.planning import PlanningGiven, plan, reply_action, wants_order
from support_agents.policy.ledger import PolicyLedger
from support_agents.ports import Clock, Embedder, OrderLookup, Vector
from support_agents.redrafting import asking_first, unwanted_macros
from support_agents.screening.attached import spotless, with_attached
from support_agents.screening.detection import Detector
from support_agents.screening.quoting import newest
from support_agents.screening.screening import spoken_before
from support_agents.screening.taint import judged, untainted
from support_agents.stages import Finished, Shares, Work
from support_agents.wording.outlines import hints

T = TypeVar("T")

_PREVIOUS_MESSAGES = 2
_MOST_ORDERS = 3
_LEAST_DRAFTING = 0.1  # seconds that a message which had to wait must have left after it is understood
_SILENT_ANSWERS = {NotTheirs: OrderAnswer.NOT_THEIRS, UnknownOrder: OrderAnswer.UNKNOWN, Failed: OrderAnswer.FAILED}


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The five agents, the rules between them and the order in which they work.

    `spare_drafting` drafts beside a slower drafter, so that something stands when that one is late or wrong.
    `attachable` are the names of the knowledge base's files that a reply may carry.
    Without a `detector` only the rules of `screen` look for injection. `lane` is where runs wait for the processor;
    `closing` knows what must be kept back of a deadline, if somebody tells it when cards are committed.
    """

    screen: Callable[[str, str], ScreeningSection]
    embedder: Embedder
    intent: Agent[IntentGiven, IntentSection]
    retrieval: Agent[RetrievalGiven, RetrievalSection]
    orders: OrderLookup
    policy: PolicyLedger
    drafting: Streaming
    spare_drafting: Streaming | None
    compliance: SentenceCheck
    clock: Clock
    shares: Shares
    calls: CallLog
    macros: Macros | None = None
    attachable: frozenset[str] = frozenset()
    debate: DebateAgent | None = None
    detector: Detector | None = None
    lane: Lane = field(default_factory=Lane)
    closing: Closing = field(default_factory=Closing)

    async def run(self, ticket: TicketSnapshot, run: Run) -> Finished:
        """Take one revision of a ticket through all stages; a stage that fails or is late lowers the rung."""
        work = Work(
            run=run,
            ticket=ticket,
            clock=self.clock,
            calls=self.calls,
            began=self.clock.monotonic(),
            shares=self.shares,
        )
        finished, error = await survived(self._through(work), None)
        if finished is None:
            work.note("run", work.began, error)
            return work.ended(Outcome.HANDED_OFF, "the software failed on this message")
        return finished

    async def _through(self, begun: Work) -> Finished:
        kept_back = self.closing.kept_back(self.shares.commit)
        work = replace(begun, shares=self.shares.model_copy(update={"commit": kept_back}))
        try:
            async with self.lane.place(work.run.deadline, leaving=work.shares.commit + _LEAST_DRAFTING):
                screened = await work.stage("screening", self._screened(work.ticket), work.run.deadline.remaining)
                if screened is None:
                    return work.ended(Outcome.HANDED_OFF, "the message could not be screened")
                await self._understand(work, screened)
        except SupportError as error:
            if error.code != BUSY:
                raise
            work.note("waiting", work.began, BUSY)
            return work.ended(Outcome.HANDED_OFF, TOO_BUSY)
        seen = work.state.sections()
        if seen.intent is None or seen.plan is None:
            return work.ended(Outcome.HANDED_OFF, "the message could not be understood in time")
        if seen.plan.hand_off:
            return work.ended(Outcome.HANDED_OFF, seen.plan.hand_off, actions=seen.plan.actions)
        given = compliance_given(seen, work.ticket, self.clock, self.policy.voice)
        return await self._draft(
            work.silenced(screened if seen.screening is None else seen.screening), given, seen.plan
        )

    def check(self, sentences: tuple[Sentence, ...], given: ComplianceGiven) -> ComplianceSection:
        """Judge a person's own text with the same checks; none of it is dropped."""
        verdicts = tuple(self.compliance.check(sentence, at, given) for at, sentence in enumerate(sentences))
        return self.compliance.close(sentences, verdicts, given)

    async def _screened(self, ticket: TicketSnapshot) -> ScreeningSection:
        screened = self.screen(ticket.last_from_customer.text, ticket.subject)
        return with_attached(spoken_before(screened, _previous(ticket)), ticket.attached, _attachments(ticket))

    async def _understand(self, work: Work, screened: ScreeningSection) -> None:
        """Embed once, then intent, order and evidence as far at once as one does not need the other."""
        share = self.shares.understanding
        text = screened.clean_text
        numbers = self._order_numbers(work.ticket, text)
        vectors, named = await asyncio.gather(
            work.stage("embedding", self.embedder.embed([text]), share),
            work.stage("orders", self._named_order(numbers, work.ticket), share),
        )
        message = work.ticket.last_from_customer.text
        looking = None if vectors is None else judged(self.detector, screened, message, vectors[0])
        verdict = await work.stage("injection", looking, share) if looking else None
        work.state.put(verdict or screened, by=Writer.PIPELINE)
        if vectors is None or verdict is None:
            return
        screened, text, work = verdict, verdict.clean_text, work.silenced(verdict)
        intent = await work.stage("intent", self._intent(work, screened, vectors[0]), share)
        if intent is None:
            return
        work.state.put(intent, by=Writer.INTENT)
        matched = await self._matched(work, screened, intent, vectors[0])
        retrieved, order = await asyncio.gather(
            work.stage("retrieval", self._evidence(work, screened, intent, vectors[0]), self.shares.retrieval),
            self._implied_order(work, intent, text, matched)
            if not numbers
            else _already(named or Meant(OrderAnswer.FAILED)),
        )
        given = PlanningGiven(
            intent=intent,
            text=text,
            requester=work.ticket.requester,
            policy=self.policy,
            today=self.clock.now().date(),
            order_answer=order.answer,
            order=order.order,
            among=order.among,
            attachments=_attachments(work.ticket),
            injection=screened.injection,
            injection_unsure=screened.doubted,
            told=f"{work.ticket.subject}\n{newest(message)}",
            tainted_evidence=bool(retrieved and retrieved.tainted),
            evidence_found=bool(retrieved and retrieved.passages),
            language=screened.language,
            macro_intents=matched.intents if matched else (),
            macro_needs_order=matched.needs_order if matched is not None else None,
        )
        planned = await work.stage("planning", self._planned(given, work.ticket), share)
        if planned is not None:
            work.state.put(planned, by=Writer.PIPELINE)
            case, without = Circumstanced.of(given), unwanted_macros(work.ticket.rejected) or None
            work.chosen.extend(chosen(case, planned, matched, work.ticket.subject, without=without))
        if retrieved is not None:
            work.state.put(with_macros(retrieved, work.chosen), by=Writer.RETRIEVAL)

    async def _matched(
        self, work: Work, screened: ScreeningSection, intent: IntentSection, vector: Vector
    ) -> Matched | None:
        """Compare the asks with the questions of the macros, if there are any in the customer's language."""
        if self.macros is None:
            return None
        wanted = Wanted(screened.clean_text, work.ticket.subject, screened.language, intent.settled_asks, vector)
        doing = self.macros.match(wanted, work.run.workspace)
        found = await work.stage("macros", doing, self.shares.understanding)
        work.looked.extend([found] if found is not None else [])
        return found

    async def _intent(self, work: Work, screened: ScreeningSection, vector: Vector) -> IntentSection:
        given = IntentGiven(
            text=screened.clean_text,
            language=screened.language,
            vector=vector,
            subject=work.ticket.subject,
            previous=_previous(work.ticket),
        )
        return await self.intent.work(given, work.run)

    async def _evidence(
        self, work: Work, screened: ScreeningSection, intent: IntentSection, vector: Vector
    ) -> RetrievalSection:
        given = RetrievalGiven(
            workspace=work.run.workspace,
            query=screened.clean_text,
            vector=vector,
            language=screened.language,
            asks=intent.settled_asks,
            previous=_previous(work.ticket),
            hints=hints(intent.settled_asks, f"{work.ticket.subject} {screened.clean_text}", screened.language),
            today=self.clock.now().date(),
        )
        return untainted(self.detector, await self.retrieval.work(given, work.run))

    async def _planned(self, given: PlanningGiven, ticket: TicketSnapshot) -> PlanSection:
        return asking_first(plan(given), ticket.rejected)

    def _order_numbers(self, ticket: TicketSnapshot, text: str) -> tuple[str, ...]:
        """The numbers written in the message, or else the one on the ticket; the order system judges whose they are."""
        found = find_entities(text, self.clock.now().date())
        written = dict.fromkeys(entity.value for entity in found if entity.kind is EntityKind.ORDER_ID)
        return tuple(written)[:_MOST_ORDERS] or ((ticket.order_id,) if ticket.order_id else ())

    async def _named_order(self, numbers: tuple[str, ...], ticket: TicketSnapshot) -> Meant:
        """Return the first of these orders that is the requester's, or why there is none."""
        answers = [await self.orders.find(number, ticket.requester) for number in numbers]
        if refused := next((answer for answer in answers if isinstance(answer, NotTheirs)), None):
            return Meant(_SILENT_ANSWERS[type(refused)])
        if theirs := next((answer for answer in answers if isinstance(answer, Ok)), None):
            return Meant(OrderAnswer.FOUND, theirs.value)
        return Meant(_SILENT_ANSWERS[type(answers[0])] if answers else OrderAnswer.NOT_ASKED)

    async def _implied_order(self, work: Work, intent: IntentSection, text: str, matched: Matched | None) -> Meant:
        """Return the order that a customer who gave no number plainly means, where one is wanted."""
        macros = matched.macros if matched else ()
        names = (intent.top.name, *(ask.intent.name for ask in intent.settled_asks))
        if not (any(one.macro.order is not OrderUse.UNUSED for one in macros) if macros else wants_order(names)):
            return Meant()
        listing = self.orders.list_theirs(work.ticket.requester)
        answer = await work.stage("orders of requester", listing, self.shares.understanding)
        if not isinstance(answer, Ok):
            return Meant(OrderAnswer.FAILED)
        today = self.clock.now().date()
        if macros:
            return order_meant(answer.value, macros, f"{work.ticket.subject} {text}", today)
        return order_wanted(answer.value, names, text, today)

    async def _draft(self, work: Work, given: ComplianceGiven, planned: PlanSection) -> Finished:
        """Climb down the ladder to the first usable draft, and have it argued about where its stakes are high."""
        ladder = Ladder(
            drafting=self.drafting,
            quoting=self.spare_drafting or self.drafting,
            macros=self.macros,
            compliance=self.compliance,
            shares=work.shares,
            lane=self.lane,
        )
        due = work.run.deadline.capped(max(0.0, work.run.deadline.remaining - work.shares.commit))
        best, first = await ladder.best(work, given)
        if self.debate is not None and not work.run.hurried:
            arguing = argued(best, self.debate, given.drafting, replace(work.run, deadline=due))
            best = await work.guarded("debate", arguing, due.remaining + 0.05) or best.judged(None, HIGH)
        self.closing.began(work.run.id, min(self.clock.monotonic(), due.at))
        if best.draft is not None and best.compliance is not None:
            work.state.put(best.draft, by=Writer.DRAFTING)
            work.state.put(best.compliance, by=Writer.COMPLIANCE)
        if best.draft is None or not best.usable:
            outcome = Outcome.EVIDENCE if given.drafting.passages else Outcome.HANDED_OFF
            return work.ended(outcome, best.reason, actions=planned.actions)
        reply = reply_action(
            work.ticket.requester, work.ticket.subject, best.draft, planned=planned, attachable=self.attachable
        )
        outcome = Outcome(best.draft.rung.value)
        return work.ended(outcome, first.reason, actions=(reply, *planned.actions))


def compliance_given(
    seen: Sections, ticket: TicketSnapshot, clock: Clock, voice: Voice | None = None
) -> ComplianceGiven:
    """Cut out of a run's sections exactly what drafting and compliance may see."""
    screened, intent, planned = seen.screening, seen.intent, seen.plan
    if screened is None or intent is None or planned is None:
        raise SupportError("no_sections", "the run stopped before it had a plan; nothing can be checked against it")
    passages = seen.retrieval.passages if seen.retrieval else ()
    drafting = DraftingGiven(
        text=screened.clean_text,
        subject=ticket.subject,
        customer_name=ticket.requester.name,
        language=screened.language,
        channel=ticket.channel.value,
        asks=intent.settled_asks,
        passages=_for(Audience.PUBLIC, passages),
        order=planned.order,
        facts=planned.facts,
        actions=planned.actions,
        needs_order_id=planned.needs_order_id,
        question=planned.question,
        order_answer=planned.order_answer,
        attachments=tuple(map(spotless, _attachments(ticket))),
        attached=screened.attached,
        today=clock.now().date(),
        rejected=tuple(one.line for one in ticket.rejected),
        earlier=earlier(ticket),
        voice=voice or Voice(),
    )
    return ComplianceGiven(
        drafting=drafting,
        customer_email=ticket.requester.email,
        internal_passages=_for(Audience.INTERNAL, passages),
        tainted=tuple(ticket.last_from_customer.text[start:end] for start, end in screened.injection_spans),
        source_language=screened.language,
    )


async def _already(value: T) -> T:
    return value


def _for(audience: Audience, passages: tuple[RetrievedPassage, ...]) -> tuple[RetrievedPassage, ...]:
    return tuple(found for found in passages if found.passage.audience is audience)


def _attachments(ticket: TicketSnapshot) -> tuple[str, ...]:
    return tuple(attached.filename for attached in ticket.last_from_customer.attachments)


def _previous(ticket: TicketSnapshot) -> tuple[str, ...]:
    """The customer's last messages before the newest, oldest first."""
    texts = [message.text for message in ticket.messages if message.author is Author.CUSTOMER]
    return tuple(texts[-1 - _PREVIOUS_MESSAGES : -1])

"""The orchestrator: which agents run, what runs at once and each one's share; it judges nothing an agent should."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from support_agents.agents.debate import DebateAgent
from support_agents.agents.intent import IntentGiven
from support_agents.agents.protocol import Agent, SentenceCheck, Streaming
from support_agents.agents.retrieval import RetrievalGiven
from support_agents.attempt import HIGH, Attempt, argued, attempt, survived
from support_agents.composing.choosing import Choice, Matched
from support_agents.domain.action import ProposedAction
from support_agents.domain.errors import Failed, Ok, SupportError
from support_agents.domain.intent import EntityKind
from support_agents.domain.knowledge import Audience, RetrievedPassage
from support_agents.domain.macro import OrderUse
from support_agents.domain.orders import NotTheirs, OrderFacts, UnknownOrder
from support_agents.domain.runs import ModelCall, Outcome, Run, Sections, StageTiming
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
from support_agents.intents.entities import find_entities
from support_agents.llm.recorded import CallLog
from support_agents.macros import Circumstanced, Macros, Wanted, chosen, given_macros, order_meant, with_macros
from support_agents.planning import PlanningGiven, only_order, plan, reply_action, wants_order
from support_agents.policy.ledger import PolicyLedger
from support_agents.ports import Clock, Embedder, OrderLookup, Vector
from support_agents.redrafting import as_wanted, asking_first, unwanted_macros
from support_agents.screening.detection import Detector
from support_agents.screening.taint import judged, untainted
from support_agents.state import PipelineState
from support_agents.wording.outlines import hints

T = TypeVar("T")

_PREVIOUS_MESSAGES = 2
_MOST_ORDERS = 3
_UNSURE = "no approved reply surely answers this, and a quoted one would be a guess"
_SILENT_ANSWERS = {NotTheirs: OrderAnswer.NOT_THEIRS, UnknownOrder: OrderAnswer.UNKNOWN, Failed: OrderAnswer.FAILED}


class Shares(BaseModel):
    """Seconds of a run's deadline that a stage may take at most, and what is kept back for the commit."""

    model_config = ConfigDict(frozen=True)

    understanding: float = Field(default=0.8, gt=0, description="embedding, intent and the order look-up, each")
    retrieval: float = Field(default=0.6, gt=0)
    drafting: float = Field(default=1.65, gt=0)
    commit: float = Field(default=0.2, ge=0, description="kept back so that the card is ready in time")
    shortest_draft: int = Field(default=60, ge=0, description="characters below which a cut draft is not used")


class Finished(BaseModel):
    """How a run ended and all it left behind."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    reason: str
    sections: Sections
    actions: tuple[ProposedAction, ...] = ()
    timings: tuple[StageTiming, ...]
    model_calls: tuple[ModelCall, ...] = ()


@dataclass(frozen=True)
class _Work:
    """What one run has gathered so far; only the pipeline holds it."""

    run: Run
    ticket: TicketSnapshot
    began: float
    calls: CallLog
    state: PipelineState = field(default_factory=PipelineState)
    timings: list[StageTiming] = field(default_factory=list)
    chosen: list[Choice] = field(default_factory=list)
    looked: list[Matched] = field(default_factory=list)

    @property
    def abstains(self) -> bool:
        """Whether quoted sentences would be a guess: there are macros in this language, and none surely answers."""
        return bool(self.looked) and not self.looked[0].allows_quoting


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The five agents, the rules between them and the order in which they work.

    `spare_drafting` drafts beside a slower drafter, so that something stands when that one is late or wrong.
    `attachable` are the names of the knowledge base's files that a reply may carry.
    Without a `detector` only the rules of `screen` look for injection.
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

    async def run(self, ticket: TicketSnapshot, run: Run) -> Finished:
        """Take one revision of a ticket through all stages; a stage that fails or is late lowers the rung."""
        work = _Work(run=run, ticket=ticket, began=self.clock.monotonic(), calls=self.calls)
        finished, error = await survived(self._through(work), None)
        if finished is None:
            work.timings.append(self._timing(work, "run", work.began, error))
            return _ended(work, Outcome.HANDED_OFF, "the software failed on this message")
        return finished

    async def _through(self, work: _Work) -> Finished:
        ticket, run = work.ticket, work.run
        screened = await self._stage(work, "screening", self._screened(ticket), run.deadline.remaining)
        if screened is None:
            return _ended(work, Outcome.HANDED_OFF, "the message could not be screened")
        await self._understand(work, screened)
        seen = work.state.sections()
        if seen.intent is None or seen.plan is None:
            return _ended(work, Outcome.HANDED_OFF, "the message could not be understood in time")
        if seen.plan.hand_off:
            return _ended(work, Outcome.HANDED_OFF, seen.plan.hand_off, actions=seen.plan.actions)
        return await self._draft(work, compliance_given(seen, ticket, self.clock), seen.plan)

    def check(self, sentences: tuple[Sentence, ...], given: ComplianceGiven) -> ComplianceSection:
        """Judge a person's own text with the same checks; none of it is dropped."""
        verdicts = tuple(self.compliance.check(sentence, at, given) for at, sentence in enumerate(sentences))
        return self.compliance.close(sentences, verdicts, given)

    async def _screened(self, ticket: TicketSnapshot) -> ScreeningSection:
        return self.screen(ticket.last_from_customer.text, ticket.subject)

    async def _understand(self, work: _Work, screened: ScreeningSection) -> None:
        """Embed once, then intent, order and evidence as far at once as one does not need the other."""
        share = self.shares.understanding
        text = screened.clean_text
        numbers = self._order_numbers(work.ticket, text)
        vectors, named = await asyncio.gather(
            self._stage(work, "embedding", self.embedder.embed([text]), share),
            self._stage(work, "orders", self._named_order(numbers, work.ticket), share),
        )
        message = work.ticket.last_from_customer.text
        looking = None if vectors is None else judged(self.detector, screened, message, vectors[0])
        verdict = await self._stage(work, "injection", looking, share) if looking else None
        work.state.put(verdict or screened, by=Writer.PIPELINE)
        if vectors is None or verdict is None:
            return
        screened, text = verdict, verdict.clean_text
        intent = await self._stage(work, "intent", self._intent(work, screened, vectors[0]), share)
        if intent is None:
            return
        work.state.put(intent, by=Writer.INTENT)
        matched = await self._matched(work, screened, intent, vectors[0])
        retrieved, order = await asyncio.gather(
            self._stage(work, "retrieval", self._evidence(work, screened, intent, vectors[0]), self.shares.retrieval),
            self._implied_order(work, intent, text, matched)
            if not numbers
            else _already(named or (OrderAnswer.FAILED, None)),
        )
        given = PlanningGiven(
            intent=intent,
            text=text,
            requester=work.ticket.requester,
            policy=self.policy,
            today=self.clock.now().date(),
            order_answer=order[0],
            order=order[1],
            attachments=_attachments(work.ticket),
            injection=screened.injection,
            tainted_evidence=bool(retrieved and retrieved.tainted),
            evidence_found=bool(retrieved and retrieved.passages),
            language=screened.language,
            macro_intents=matched.intents if matched else (),
            macro_needs_order=matched.needs_order if matched is not None else None,
        )
        planned = await self._stage(work, "planning", self._planned(given, work.ticket), share)
        if planned is not None:
            work.state.put(planned, by=Writer.PIPELINE)
            case, without = Circumstanced.of(given), unwanted_macros(work.ticket.rejected) or None
            work.chosen.extend(chosen(case, planned, matched, work.ticket.subject, without=without))
        if retrieved is not None:
            work.state.put(with_macros(retrieved, work.chosen), by=Writer.RETRIEVAL)

    async def _matched(
        self, work: _Work, screened: ScreeningSection, intent: IntentSection, vector: Vector
    ) -> Matched | None:
        """Compare the asks with the questions of the macros, if there are any in the customer's language."""
        if self.macros is None:
            return None
        wanted = Wanted(screened.clean_text, work.ticket.subject, screened.language, intent.settled_asks, vector)
        doing = self.macros.match(wanted, work.run.workspace)
        found = await self._stage(work, "macros", doing, self.shares.understanding)
        work.looked.extend([found] if found is not None else [])
        return found

    async def _intent(self, work: _Work, screened: ScreeningSection, vector: Vector) -> IntentSection:
        given = IntentGiven(
            text=screened.clean_text,
            language=screened.language,
            vector=vector,
            subject=work.ticket.subject,
            previous=_previous(work.ticket),
        )
        return await self.intent.work(given, work.run)

    async def _evidence(
        self, work: _Work, screened: ScreeningSection, intent: IntentSection, vector: Vector
    ) -> RetrievalSection:
        given = RetrievalGiven(
            workspace=work.run.workspace,
            query=screened.clean_text,
            vector=vector,
            language=screened.language,
            asks=intent.settled_asks,
            previous=_previous(work.ticket),
            hints=hints(intent.settled_asks, f"{work.ticket.subject} {screened.clean_text}", screened.language),
        )
        return untainted(self.detector, await self.retrieval.work(given, work.run))

    async def _planned(self, given: PlanningGiven, ticket: TicketSnapshot) -> PlanSection:
        return asking_first(plan(given), ticket.rejected)

    def _order_numbers(self, ticket: TicketSnapshot, text: str) -> tuple[str, ...]:
        """The numbers written in the message, or else the one on the ticket; the order system judges whose they are."""
        found = find_entities(text, self.clock.now().date())
        written = dict.fromkeys(entity.value for entity in found if entity.kind is EntityKind.ORDER_ID)
        return tuple(written)[:_MOST_ORDERS] or ((ticket.order_id,) if ticket.order_id else ())

    async def _named_order(
        self, numbers: tuple[str, ...], ticket: TicketSnapshot
    ) -> tuple[OrderAnswer, OrderFacts | None]:
        """Return the first of these orders that is the requester's, or why there is none."""
        answers = [await self.orders.find(number, ticket.requester) for number in numbers]
        if refused := next((answer for answer in answers if isinstance(answer, NotTheirs)), None):
            return _SILENT_ANSWERS[type(refused)], None
        if theirs := next((answer for answer in answers if isinstance(answer, Ok)), None):
            return OrderAnswer.FOUND, theirs.value
        return (_SILENT_ANSWERS[type(answers[0])] if answers else OrderAnswer.NOT_ASKED), None

    async def _implied_order(
        self, work: _Work, intent: IntentSection, text: str, matched: Matched | None
    ) -> tuple[OrderAnswer, OrderFacts | None]:
        """Return the order that a customer who gave no number plainly means, where one is wanted."""
        macros = matched.macros if matched else ()
        names = (intent.top.name, *(ask.intent.name for ask in intent.settled_asks))
        if not (any(one.macro.order is not OrderUse.UNUSED for one in macros) if macros else wants_order(names)):
            return OrderAnswer.NOT_ASKED, None
        listing = self.orders.list_theirs(work.ticket.requester)
        answer = await self._stage(work, "orders of requester", listing, self.shares.understanding)
        if not isinstance(answer, Ok):
            return OrderAnswer.FAILED, None
        if macros:
            today = self.clock.now().date()
            return order_meant(answer.value, macros, f"{work.ticket.subject} {text}", today)
        order = only_order(answer.value, names, text)
        return (OrderAnswer.FOUND, order) if order else (OrderAnswer.NOT_ASKED, None)

    async def _draft(self, work: _Work, given: ComplianceGiven, planned: PlanSection) -> Finished:
        """Draft and check at once, with the spare drafter beside; the first usable draft is the reply."""
        share = min(self.shares.drafting, work.run.deadline.remaining - self.shares.commit)
        limited = replace(work.run, deadline=work.run.deadline.capped(max(0.0, share)))
        attempts = await asyncio.gather(
            *(self._attempt(work, *drafter, limited) for drafter in self._drafters(work, given))
        )
        best = next((one for one in attempts if one.usable), attempts[0] if attempts else Attempt(reason=_UNSURE))
        if self.debate is not None:
            late = replace(
                work.run, deadline=work.run.deadline.capped(work.run.deadline.remaining - self.shares.commit)
            )
            arguing = argued(best, self.debate, given.drafting, late)
            best = await self._stage(work, "debate", arguing, late.deadline.remaining + 0.05) or best.judged(None, HIGH)
        if best.draft is not None and best.compliance is not None:
            work.state.put(best.draft, by=Writer.DRAFTING)
            work.state.put(best.compliance, by=Writer.COMPLIANCE)
        if best.draft is None or not best.usable:
            outcome = Outcome.EVIDENCE if given.drafting.passages else Outcome.HANDED_OFF
            return _ended(work, outcome, best.reason, actions=planned.actions)
        reply = reply_action(
            work.ticket.requester, work.ticket.subject, best.draft, planned=planned, attachable=self.attachable
        )
        outcome = Outcome(best.draft.rung.value)
        return _ended(work, outcome, attempts[0].reason, actions=(reply, *planned.actions))

    def _drafters(self, work: _Work, given: ComplianceGiven) -> Iterator[tuple[str, Streaming, ComplianceGiven]]:
        """Yield who drafts from what, best first: a language model, macros, quoted sentences."""
        quoting = self.spare_drafting or self.drafting
        if self.drafting is not quoting:
            yield "drafting", self.drafting, given
        if self.macros is not None and work.chosen:
            yield "macro drafting", self.macros.drafting, given_macros(given, work.chosen[0])
        if not work.abstains or given.drafting.needs_order_id:
            yield "spare drafting" if self.spare_drafting else "drafting", quoting, given

    async def _attempt(self, work: _Work, name: str, drafter: Streaming, given: ComplianceGiven, run: Run) -> Attempt:
        wanted = as_wanted(drafter, work.ticket.rejected)
        heard = attempt(wanted, self.compliance, given, run, shortest=self.shares.shortest_draft)
        # The attempt keeps its own deadline. The stage's guard is the run's: on a busy event loop two timers that are
        # close together go off at once, and the outer one would throw away what the drafter has said.
        return await self._stage(work, name, heard, work.run.deadline.remaining) or Attempt(reason=f"{name} failed")

    async def _stage(self, work: _Work, name: str, doing: Awaitable[T], seconds: float) -> T | None:
        """Await one stage within its share; whatever goes wrong is noted, and the run goes on without it."""
        started = self.clock.monotonic()
        result, error = await survived(doing, min(seconds, work.run.deadline.remaining))
        work.timings.append(self._timing(work, name, started, error))
        return result

    def _timing(self, work: _Work, stage: str, started: float, error: str | None) -> StageTiming:
        took = self.clock.monotonic() - started
        began = started - work.began
        return StageTiming(stage=stage, started_ms=began * 1_000, took_ms=took * 1_000, error=error)


def compliance_given(seen: Sections, ticket: TicketSnapshot, clock: Clock) -> ComplianceGiven:
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
        order_answer=planned.order_answer,
        attachments=_attachments(ticket),
        today=clock.now().date(),
        rejected=tuple(one.line for one in ticket.rejected),
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


def _ended(work: _Work, outcome: Outcome, reason: str, *, actions: tuple[ProposedAction, ...] = ()) -> Finished:
    return Finished(
        outcome=outcome,
        reason=reason,
        sections=work.state.sections(),
        actions=actions,
        timings=tuple(work.timings),
        model_calls=work.calls.take(work.run.id),
    )

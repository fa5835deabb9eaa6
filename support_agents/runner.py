"""TicketRunner: a ticket's revision in, its record out; always a typed outcome, never an exception, never a send."""

from dataclasses import dataclass, replace

from support_agents.agents.interaction_log import InteractionGiven
from support_agents.agents.protocol import Agent
from support_agents.closing import Closing
from support_agents.domain.runs import Rechecked, Run, RunRecord, Sections
from support_agents.domain.sections import Rung, Sentence, written
from support_agents.domain.ticket import TicketSnapshot
from support_agents.edits import grounded, judged
from support_agents.macros import Circumstanced, Wanted, chosen, given_macros
from support_agents.monitoring.outliers import Outliers
from support_agents.pipeline import Pipeline, compliance_given
from support_agents.ports import Clock
from support_agents.redrafting import macros_in


@dataclass(frozen=True, kw_only=True)
class TicketRunner:
    """Runs the pipeline on a ticket and has the interaction-logging agent put the record together."""

    pipeline: Pipeline
    interaction_log: Agent[InteractionGiven, RunRecord]
    clock: Clock
    outliers: Outliers | None = None

    async def run(self, ticket: TicketSnapshot, run: Run, *, resumed: bool = False) -> RunRecord:
        """Return the record of one run; `resumed` marks one that a crash interrupted, which counts as late."""
        run = replace(run, private=(ticket.requester.name, ticket.requester.email))
        finished = await self.pipeline.run(ticket, run)
        given = InteractionGiven(
            ticket=ticket,
            outcome=finished.outcome,
            reason=finished.reason,
            sections=finished.sections,
            actions=finished.actions,
            timings=finished.timings,
            model_calls=finished.model_calls,
            finished_at=self.clock.now(),
            resumed=resumed,
            outlier=self.outliers.mark(ticket, finished.sections) if self.outliers else None,
        )
        return await self.interaction_log.work(given, run)

    def unhurried(self, seconds: float) -> "TicketRunner":
        """The same runner for runs that nobody waits for: a model may write for `seconds`, and no figure is learnt."""
        shares = self.pipeline.shares.model_copy(update={"drafting": seconds})
        return replace(self, pipeline=replace(self.pipeline, shares=shares, closing=Closing()), outliers=None)

    def ready(self, run: Run) -> None:
        """Note that a run's card is committed; later runs keep back the time that this takes."""
        self.pipeline.closing.ended(run.id, self.clock.monotonic())

    async def another_reply(self, sections: Sections, ticket: TicketSnapshot, run: Run) -> str:
        """Write the reply that the next best macro would make of a finished run's facts; empty where there is none.

        It is for a person who has seen the run's own draft: it is chosen by likeness alone, and checked as an edit is.
        """
        screened, intent, planned, draft = sections.screening, sections.intent, sections.plan, sections.draft
        macros = self.pipeline.macros
        if macros is None or screened is None or intent is None or planned is None:
            return ""
        text, language = screened.clean_text, screened.language
        (vector,) = await self.pipeline.embedder.embed([text])
        asks = intent.settled_asks
        matched = await macros.match(Wanted(text, ticket.subject, language, asks, vector), run.workspace)
        given = compliance_given(sections, ticket, self.clock, self.pipeline.policy.voice)
        used = macros_in(draft.prompt_version) if draft is not None and draft.rung is Rung.MACRO else frozenset[str]()
        case = Circumstanced(text, language, given.drafting.attachments, ticket.requester.name, given.drafting.today)
        for choice in chosen(case, planned, matched, ticket.subject, without=used):
            drafted = macros.drafting.stream(given_macros(given, choice).drafting, run)
            return written([part async for part in drafted if isinstance(part, Sentence)])
        return ""

    def recheck(self, sections: Sections, ticket: TicketSnapshot, text: str) -> Rechecked:
        """Check a person's edit against the evidence of the run it came from; the text is kept to the letter."""
        given = compliance_given(sections, ticket, self.clock, self.pipeline.policy.voice)
        sentences = grounded(text, given.drafting)
        return Rechecked(text=text, sentences=sentences, compliance=judged(self.pipeline.check(sentences, given)))

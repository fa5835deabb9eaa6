"""TicketRunner: a ticket's revision in, its record out; always a typed outcome, never an exception, never a send."""

from dataclasses import dataclass

from support_agents.agents.interaction_log import InteractionGiven
from support_agents.agents.protocol import Agent
from support_agents.domain.runs import Rechecked, Run, RunRecord, Sections
from support_agents.domain.ticket import TicketSnapshot
from support_agents.edits import grounded, judged
from support_agents.pipeline import Pipeline, compliance_given
from support_agents.ports import Clock


@dataclass(frozen=True, kw_only=True)
class TicketRunner:
    """Runs the pipeline on a ticket and has the interaction-logging agent put the record together."""

    pipeline: Pipeline
    interaction_log: Agent[InteractionGiven, RunRecord]
    clock: Clock

    async def run(self, ticket: TicketSnapshot, run: Run, *, resumed: bool = False) -> RunRecord:
        """Return the record of one run; `resumed` marks one that a crash interrupted, which counts as late."""
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
        )
        return await self.interaction_log.work(given, run)

    def recheck(self, sections: Sections, ticket: TicketSnapshot, text: str) -> Rechecked:
        """Check a person's edit against the evidence of the run it came from; the text is kept to the letter."""
        given = compliance_given(sections, ticket, self.clock)
        sentences = grounded(text, given.drafting)
        return Rechecked(text=text, sentences=sentences, compliance=judged(self.pipeline.check(sentences, given)))

"""The interaction-logging agent: puts together what is kept of a run; it stores nothing itself."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from support_agents.domain.action import ProposedAction
from support_agents.domain.runs import ModelCall, Outcome, OutlierMark, Run, RunRecord, Sections, StageTiming
from support_agents.domain.ticket import TicketSnapshot


class InteractionGiven(BaseModel):
    """Everything a finished run left behind."""

    model_config = ConfigDict(frozen=True)

    ticket: TicketSnapshot
    outcome: Outcome
    reason: str
    sections: Sections
    actions: tuple[ProposedAction, ...]
    timings: tuple[StageTiming, ...]
    model_calls: tuple[ModelCall, ...]
    finished_at: AwareDatetime
    resumed: bool
    outlier: OutlierMark | None = None


class InteractionLogAgent:
    """Assembles the `RunRecord`; pure."""

    async def work(self, given: InteractionGiven, run: Run) -> RunRecord:
        """Return the record; `late` is true for a resumed run and for one past its deadline."""
        return RunRecord(
            run_id=run.id,
            workspace=run.workspace,
            ticket_id=given.ticket.id,
            ticket_revision=given.ticket.revision,
            outcome=given.outcome,
            reason=given.reason,
            sections=given.sections,
            actions=given.actions,
            timings=given.timings,
            model_calls=given.model_calls,
            versions=_versions(given.sections),
            received_at=given.ticket.received_at,
            finished_at=given.finished_at,
            late=given.resumed or run.deadline.passed,
            outlier=given.outlier,
        )


def _versions(sections: Sections) -> dict[str, str]:
    """Which model, index and prompt made the sections that are there."""
    found = {
        "intent_model": sections.intent and sections.intent.model_version,
        "index": sections.retrieval and sections.retrieval.index_version,
        "drafter": sections.draft and sections.draft.model,
        "prompt": sections.draft and sections.draft.prompt_version,
    }
    return {name: version for name, version in found.items() if version}

"""Who drafts, best first – a language model, macros, quoted sentences – and when the next begins; it writes nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from support_agents.admission import BUSY, Lane
from support_agents.agents.protocol import SentenceCheck, Streaming
from support_agents.attempt import Attempt, Hearing
from support_agents.domain.budget import NO_MODEL
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.domain.sections import ComplianceGiven
from support_agents.macros import Macros, given_macros
from support_agents.redrafting import as_wanted
from support_agents.stages import Shares, Work

_UNSURE = "no approved reply surely answers this, and a quoted one would be a guess"
_UNREAD = "what reads like orders to the software stands in it, so no language model was asked"
_TOO_LATE = "too little time was left to ask a language model"
HURRIED = "so many messages waited that no language model was asked"
TOO_BUSY = "too many messages came in at once to draft a reply in time"


@dataclass(frozen=True)
class _Rung:
    """One who drafts, by the name of its stage, and what it drafts from."""

    name: str
    drafter: Streaming
    given: ComplianceGiven


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The rungs of one installation; `drafting` is the same as `quoting` where no language model is configured."""

    drafting: Streaming
    quoting: Streaming
    macros: Macros | None
    compliance: SentenceCheck
    shares: Shares
    lane: Lane

    async def best(self, work: Work, given: ComplianceGiven) -> tuple[Attempt, Attempt]:
        """Return the first usable attempt, or else the first, and the first: it has the reason why there is no better.

        A rung begins when the one above has failed. What a model drafts streams for most of the time there is, so the
        others begin beside it while there is still time for them, unless it has said enough by then.
        """
        left = max(0.0, work.run.deadline.remaining - self.shares.commit)
        limited = replace(work.run, deadline=work.run.deadline.capped(min(left, self.shares.drafting)))
        rungs = list(self._ready(work, given))
        if self.drafting is self.quoting:
            attempts = await self._climbed(work, rungs, limited)
        elif why := self._unasked(work.run, left):
            attempts = [Attempt(reason=why), *await self._climbed(work, rungs, limited)]
        else:
            attempts = await self._spoken(work, _Rung("drafting", self.drafting, given), rungs, limited)
        first = attempts[0] if attempts else Attempt(reason=_UNSURE)
        return next((one for one in attempts if one.usable), first), first

    def _unasked(self, run: Run, left: float) -> str | None:
        """Why no model is asked with `left` seconds to go; None where one is."""
        if run.budget is NO_MODEL:
            return _UNREAD
        if run.hurried:
            return HURRIED
        return _TOO_LATE if left < self.shares.least_model else None

    def _ready(self, work: Work, given: ComplianceGiven) -> Iterator[_Rung]:
        """Yield the rungs that need no model."""
        if self.macros is not None and work.chosen:
            yield _Rung("macro drafting", self.macros.drafting, given_macros(given, work.chosen[0]))
        if not work.abstains or given.drafting.needs_order_id:
            yield _Rung("drafting" if self.drafting is self.quoting else "spare drafting", self.quoting, given)

    async def _spoken(self, work: Work, model: _Rung, rungs: list[_Rung], run: Run) -> list[Attempt]:
        """Listen to a model; the other rungs are climbed when it fails, or in time before it could turn out to."""
        hearing = self._hearing(work, model, run)
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._heard(work, model.name, hearing))
            await asyncio.wait({speaking}, timeout=run.deadline.remaining - self.shares.quoting)
            standing = await speaking if speaking.done() else hearing.so_far()
            climbed = [] if standing.usable else await self._climbed(work, rungs, run)
        return [speaking.result(), standing, *climbed]

    async def _climbed(self, work: Work, rungs: list[_Rung], run: Run) -> list[Attempt]:
        """Try one rung after another until one is usable."""
        attempts: list[Attempt] = []
        for rung in rungs:
            try:
                async with self.lane.place(run.deadline, leaving=0.0):
                    attempts.append(await self._heard(work, rung.name, self._hearing(work, rung, run)))
            except SupportError as error:
                attempts.append(Attempt(reason=TOO_BUSY if error.code == BUSY else f"{rung.name} failed"))
            if attempts[-1].usable:
                break
        return attempts

    def _hearing(self, work: Work, rung: _Rung, run: Run) -> Hearing:
        wanted = as_wanted(rung.drafter, work.ticket.rejected)
        return Hearing(wanted, self.compliance, rung.given, run, self.shares.shortest_draft)

    async def _heard(self, work: Work, name: str, hearing: Hearing) -> Attempt:
        # The attempt keeps its own deadline. The stage's guard is the run's: on a busy event loop two timers that are
        # close together go off at once, and the outer one would throw away what the drafter has said.
        return await work.guarded(name, hearing.attempt(), work.run.deadline.remaining) or Attempt(
            reason=f"{name} failed"
        )

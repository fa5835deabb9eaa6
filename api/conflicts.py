"""Articles held against the policy in force: sentences that drafts must not repeat; it changes neither."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from pydantic import BaseModel, ConfigDict

from support_agents.agents.checks.policy_claims import POLICY_LEDGER
from support_agents.agents.checks.support import Support, support_of
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.knowledge import Citation, Passage, RetrievedPassage
from support_agents.domain.sections import ComplianceGiven, DraftingGiven, OrderAnswer, Sentence
from support_agents.policy.ledger import PolicyLedger
from support_agents.ports import PassageStore
from support_agents.wording.segments import split_sentences

_AT_ONCE = 100  # articles whose passages are read together


class Conflict(BaseModel):
    """A sentence of an article that drafts must not repeat, and why."""

    model_config = ConfigDict(frozen=True)

    article: str
    heading: str
    sentence: str
    reason: str


Conflicts = tuple[Conflict, ...]


@dataclass(frozen=True)
class ArticleConflicts:
    """The conflicts of all stored articles with one policy; looked for anew once an article or the day is another."""

    passages: PassageStore
    ledger: PolicyLedger
    _looks: dict[WorkspaceId, "_Look"] = field(default_factory=dict, init=False, repr=False, compare=False)

    async def found(self, workspace: WorkspaceId, today: date, *, patience: float | None) -> Conflicts | None:
        """Return them by article; None while they are still looked for after `patience` seconds."""
        if not self.ledger.clauses:
            return ()
        version = (await self.passages.state(workspace)).version
        look = self._looks.get(workspace)
        if look is None or (look.version, look.today) != (version, today):
            if look is not None:
                look.task.cancel()
            look = _Look(version, today, asyncio.create_task(self._look(workspace, today)))
            self._looks[workspace] = look
        await asyncio.wait((look.task,), timeout=patience)
        if not look.task.done() or look.task.cancelled():
            return None
        if look.task.exception() is not None:
            self._looks.pop(workspace, None)  # the next who asks tries again
        return look.task.result()

    async def close(self) -> None:
        """End what is under way."""
        tasks = [look.task for look in self._looks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, workspace: WorkspaceId, today: date) -> Conflicts:
        articles = sorted(await self.passages.article_hashes(workspace))
        found: list[Conflict] = []
        for start in range(0, len(articles), _AT_ONCE):
            for passage in await self.passages.passages_of(workspace, articles[start : start + _AT_ONCE]):
                found += conflicts_in(passage, self.ledger, today)
                await asyncio.sleep(0)  # a page is not what customers wait for: their messages go between
        return tuple(found)


@dataclass(frozen=True)
class _Look:
    """One comparison, under way or done, and the state of articles and day that it is of."""

    version: str
    today: date
    task: asyncio.Task[Conflicts]


def conflicts_in(passage: Passage, ledger: PolicyLedger, today: date) -> Iterator[Conflict]:
    """Judge each sentence as if a draft quoted it: what the check `policy_ledger` would drop is a conflict."""
    support = _quoting(passage, ledger, today)
    for part in split_sentences(passage.text):
        cited = Citation(passage_id=passage.id, article_id=passage.article_id, title=passage.title, quote=part.text)
        quoted = Sentence(text=part.text, citations=(cited,))
        if reason := POLICY_LEDGER.reason(quoted, support):
            yield Conflict(article=passage.article_id, heading=passage.heading, sentence=part.text, reason=reason)


def _quoting(passage: Passage, ledger: PolicyLedger, today: date) -> Support:
    """What a draft has to go by that may quote this passage and knows nothing else."""
    found = RetrievedPassage(passage=passage, score=1, similarity=1)
    drafting = DraftingGiven(
        text="", subject="", customer_name="", language=passage.language, channel="email", asks=(), passages=(found,),
        order=None, facts=(), actions=(), needs_order_id=False, order_answer=OrderAnswer.NOT_ASKED, today=today,
    )  # fmt: skip
    given = ComplianceGiven(drafting=drafting, customer_email="", source_language=passage.language)
    return support_of(given, ledger)

"""A person's reason reaches the next draft: shorter, or from another macro; the demo shop's own."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from api.demo import shop
from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.modals import Alternative
from approvals.ports import Person
from db.repositories.approvals import ApprovalRequest
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, RejectReason, RequestStatus, Role
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId
from support_agents.domain.sections import Rung
from support_agents.redrafting import macros_in
from tests.benchmarks.messages import orders_csv, samples
from tests.fixtures.installation import UNHURRIED
from tests.fixtures.slack import Workspace, open_workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES = 16


@dataclass
class Redrafted:
    """A rejected reply and what came in its place, if anything did."""

    before: str
    after: str
    macros_before: frozenset[str]
    macros_after: frozenset[str]
    rung: Rung | None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answered(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workspace]:
    """The shop, with replies to its first messages; the worker runs."""
    folder: Path = tmp_path_factory.mktemp("redrafts")
    (folder / "orders.csv").write_text(orders_csv(MESSAGES), encoding="utf-8")
    settings = {
        **UNHURRIED,
        "orders_csv": folder / "orders.csv",
        "policy": shop.POLICY,
        "known_vectors": shop.VECTORS,
        "macros": shop.MACROS,
    }
    async with open_workspace(folder / "data", **settings) as slack:
        installation = slack.desk.installation
        await installation.container.knowledge.sync(shop.ARTICLES, DEFAULT_WORKSPACE)
        async with installation.working():
            await installation.settled(120)
            await installation.container.keeper.wait()
            for sample in samples(MESSAGES, series="D"):
                await installation.send(json.loads(sample.body()))
            await installation.settled(120)
            yield slack


async def replies(slack: Workspace) -> list[ApprovalRequest]:
    async with slack.desk.installation.container.database.read() as uow:
        found = await uow.approvals.open_in(DEFAULT_WORKSPACE, limit=100)
    return [each for each in found if each.kind is ActionKind.SEND_REPLY and each.status is RequestStatus.PENDING]


async def macros_of(slack: Workspace, request: ApprovalRequest) -> tuple[frozenset[str], Rung | None]:
    async with slack.desk.installation.container.database.read() as uow:
        draft = (await uow.runs.sections(request.run_id)).draft
    macro = draft is not None and draft.rung is Rung.MACRO
    return macros_in(draft.prompt_version) if draft and macro else frozenset(), draft.rung if draft else None


def text_of(request: ApprovalRequest) -> str:
    action = unseal(Sealed(request.canonical, request.digest))
    assert isinstance(action, CanonicalReply)
    return action.text


async def rejecting(slack: Workspace) -> Person:
    return await slack.as_person(await slack.person(Role.MANAGER))


async def redrafted(slack: Workspace, request: ApprovalRequest, reason: RejectReason) -> Redrafted:
    """Reject it for a reason and have it drafted again."""
    installation, person = slack.desk.installation, await rejecting(slack)
    macros, _ = await macros_of(slack, request)
    await installation.container.queue.decide(
        request.id, digest=request.digest, verdict=DecisionVerdict.REJECT, person=person, reason=reason.label
    )
    await slack.clicks.redrafting.ask(person, request.id)
    await installation.settled(60)
    made = [each for each in await replies(slack) if each.ticket_id == request.ticket_id]
    if not made:
        return Redrafted(text_of(request), "", macros, frozenset(), None)
    after, rung = await macros_of(slack, made[0])
    return Redrafted(text_of(request), text_of(made[0]), macros, after, rung)


async def longest(slack: Workspace) -> ApprovalRequest:
    return max(await replies(slack), key=lambda request: len(text_of(request)))


async def test_too_long_is_answered_by_a_shorter_draft_of_the_same_sentences(answered: Workspace) -> None:
    done = await redrafted(answered, await longest(answered), RejectReason.TOO_LONG)
    assert 0 < len(done.after) < len(done.before)
    assert all(line in done.before for line in done.after.split("\n") if line.endswith("."))


async def test_a_wrong_template_is_not_used_again(answered: Workspace) -> None:
    seen = []
    for request in (await replies(answered))[:6]:
        if (await macros_of(answered, request))[0]:
            done = await redrafted(answered, request, RejectReason.WRONG_MACRO)
            assert not done.macros_before & done.macros_after
            seen.append(done)
    assert len(seen) >= 3
    assert any(done.macros_after for done in seen)


async def test_the_next_best_template_is_a_text_to_be_had_by_one_tap(answered: Workspace) -> None:
    offered = 0
    for request in await replies(answered):
        found = await answered.desk.installation.container.editing.alternatives(RequestId(request.id))
        if macro := found.get(Alternative.MACRO):
            offered += 1
            assert macro.strip() != text_of(request).strip()
            assert "{" not in macro
    assert offered

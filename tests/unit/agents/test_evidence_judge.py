"""A small model may take away doubtful passages, and can neither add one nor take a sure one."""

import pytest

from support_agents.agents.evidence_judge import LEFT_FOR_DRAFTING, PATIENCE, EvidenceJudge
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.knowledge import Audience, RetrievedPassage
from support_agents.domain.runs import Run
from support_agents.llm.structured import StructuredModel
from support_agents.testing.llm import Pause, ScriptedModel, Step
from tests.fixtures.drafting import passage
from tests.fixtures.still_time import seconds_now

pytestmark = pytest.mark.still_time


def found(text: str, addresses: float | None, audience: Audience = Audience.PUBLIC) -> RetrievedPassage:
    one = passage(text)
    return one.model_copy(
        update={"addresses": addresses, "passage": one.passage.model_copy(update={"audience": audience})}
    )


SURE, DOUBTFUL, OTHER = found("Thirty days.", 0.9), found("Knives are sharpened.", 0.2), found("Call us.", 0.3)
INTERNAL = found("Ask the manager first.", 0.1, Audience.INTERNAL)
ALL = (INTERNAL, DOUBTFUL, SURE, OTHER)


async def kept(*script: Step, given: tuple[RetrievedPassage, ...] = ALL, seconds: float = 2) -> list[str]:
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(seconds_now() + seconds, seconds_now), Budget())
    judge = EvidenceJudge(StructuredModel(ScriptedModel(script)))
    return [one.passage.text for one in await judge.answering("How long can I return it?", given, run)]


def texts(*passages: RetrievedPassage) -> list[str]:
    return [one.passage.text for one in passages]


async def test_doubtful_passages_that_are_not_named_go_and_all_others_stay_in_order() -> None:
    assert await kept('{"numbers": [3]}') == texts(INTERNAL, SURE, OTHER)
    assert await kept('{"numbers": []}') == texts(INTERNAL, SURE)
    assert await kept('{"numbers": [0, 9, -1]}') == texts(INTERNAL, SURE)


@pytest.mark.parametrize(
    "script",
    [("none of them",), (SupportError("llm_down", "down"),), (Pause(2 * PATIENCE), '{"numbers": []}')],
    ids=["prose", "down", "late"],
)
async def test_without_an_answer_everything_stays(script: tuple[Step, ...]) -> None:
    assert await kept(*script) == texts(*ALL)


async def test_it_is_not_asked_without_doubt_or_without_time() -> None:
    refusing = SupportError("asked", "it must not be asked")
    assert await kept(refusing, given=(SURE, INTERNAL)) == texts(SURE, INTERNAL)
    assert await kept('{"numbers": []}', seconds=LEFT_FOR_DRAFTING - 0.01) == texts(*ALL)

"""A small model is asked about what the intent model does not know, and about nothing else."""

import numpy as np
import pytest

from support_agents.agents.intent import IntentAgent, IntentGiven
from support_agents.agents.intent_opinion import LEFT_FOR_DRAFTING, PATIENCE, IntentOpinion
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.intent import UNKNOWN
from support_agents.domain.runs import Run
from support_agents.domain.sections import IntentSection
from support_agents.llm.redacted import RedactedModel
from support_agents.llm.structured import StructuredModel
from support_agents.testing.clock import FixedClock
from support_agents.testing.intent import KeywordIntentModel
from support_agents.testing.llm import Pause, ScriptedModel, Step
from tests.fixtures.still_time import seconds_now

pytestmark = pytest.mark.still_time

MODEL = KeywordIntentModel({"order_status": ("where is",), "refund_request": ("refund",)})
VAGUE = "Could you do something about the thing I wrote of in May?"


async def understood(text: str, *script: Step, seconds: float = 2) -> tuple[IntentSection, ScriptedModel]:
    asked = ScriptedModel(script)
    agent = IntentAgent(MODEL, FixedClock(), opinion=IntentOpinion(StructuredModel(RedactedModel(asked))))
    given = IntentGiven(text, "en", np.zeros(4, dtype=np.float32))
    run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(seconds_now() + seconds, seconds_now), Budget())
    return await agent.work(given, run), asked


async def test_an_unknown_message_goes_by_the_opinion_and_the_record_names_who_gave_it() -> None:
    section, asked = await understood(VAGUE, '{"intent": "refund_request", "sure": 0.9}')
    assert section.top.name == "refund_request"
    assert section.top.probability == MODEL.threshold
    assert section.model_version == "keywords with scripted"
    (prompt,) = asked.prompts
    assert prompt.agent == "intent"
    assert "order_status, refund_request" in prompt.user
    assert VAGUE in prompt.user


async def test_a_known_message_and_a_mere_greeting_are_not_asked_about() -> None:
    for text in ("Where is my parcel?", "Hello!"):
        section, asked = await understood(text, '{"intent": "refund_request", "sure": 1}')
        assert section.model_version == "keywords"
        assert asked.prompts == []


@pytest.mark.parametrize(
    "script",
    [
        ('{"intent": "refund_request", "sure": 0.4}',),
        ('{"intent": "wire_money", "sure": 1}',),
        ('{"intent": "unknown", "sure": 1}',),
        ("I would say refund.",),
        (SupportError("llm_unavailable", "down"),),
        (Pause(PATIENCE * 2), '{"intent": "refund_request", "sure": 1}'),
    ],
    ids=["unsure", "no such intent", "unknown", "prose", "down", "late"],
)
async def test_without_a_usable_opinion_it_stays_unknown(script: tuple[Step, ...]) -> None:
    began = seconds_now()
    section, asked = await understood(VAGUE, *script)
    assert asked.prompts
    assert section.top.name == UNKNOWN
    assert section.model_version == "keywords"
    assert seconds_now() - began <= PATIENCE + 1e-6


async def test_it_is_not_asked_where_a_draft_would_have_no_time() -> None:
    section, asked = await understood(
        VAGUE, '{"intent": "refund_request", "sure": 1}', seconds=LEFT_FOR_DRAFTING - 0.01
    )
    assert section.top.name == UNKNOWN
    assert asked.prompts == []


async def test_personal_data_stays_in_the_house() -> None:
    _, asked = await understood(
        f"{VAGUE} Write to me at sanne@example.com please.", '{"intent": "refund_request", "sure": 1}'
    )
    assert "sanne@example.com" not in asked.prompts[0].user

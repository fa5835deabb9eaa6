from collections.abc import AsyncIterator

import pytest
from pydantic import BaseModel, Field

from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.llm.reading import read_object
from support_agents.llm.structured import StructuredModel
from support_agents.ports import Completed, Prompt, StopReason, TextDelta
from support_agents.testing.llm import ScriptedModel
from tests.fixtures.models import a_prompt, a_run


class Verdict(BaseModel):
    send: bool
    reason: str
    score: int = Field(default=0, ge=0, le=10)


class Telling:
    """Says one answer after another."""

    name = "telling"

    def __init__(self, *answers: str) -> None:
        self.models = [
            ScriptedModel(tuple(answer[at : at + 5] for at in range(0, len(answer), 5))) for answer in answers
        ]
        self.asked = 0

    def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        self.asked += 1
        return self.models[self.asked - 1].stream(prompt, run)


GOOD = '{"send": true, "reason": "it\\u2019s fine", "score": 3}'


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Sure! Here it is:\n{GOOD}\nLet me know if you need more.",
        "{'send': true, 'reason': 'it’s fine', 'score': 3}",
        "{'send': True, 'reason': \"it’s fine\", 'score': 3,}",
        '{"send": true, "reason": "it’s fine", "score": 3',
        '{"send": true, "score": 3, "reason": "it’s fine',
    ],
    ids=["plain", "fences", "prose", "single quotes", "python", "cut", "cut in a string"],
)
async def test_an_answer_is_read_however_it_is_wrapped(said: str) -> None:
    model = Telling(said)
    verdict = await StructuredModel(model).ask(a_prompt(), a_run(), Verdict)
    assert verdict == Verdict(send=True, reason="it’s fine", score=3)
    assert model.asked == 1


async def test_schema_and_temperature_are_in_the_request() -> None:
    model = ScriptedModel((GOOD,))
    await StructuredModel(model).ask(a_prompt(temperature=0.7), a_run(), Verdict)
    (asked,) = model.prompts
    assert asked.temperature == 0.0
    assert asked.answer_schema is not None
    assert set(asked.answer_schema["properties"]) == {"send", "reason", "score"}
    assert '"properties"' in asked.system, "for a server that takes no schema"


async def test_a_second_round_shows_the_model_its_own_fault() -> None:
    model = Telling('{"send": "perhaps", "score": 99}', GOOD)
    assert (await StructuredModel(model).ask(a_prompt(), a_run(), Verdict)).score == 3
    (again,) = model.models[1].prompts
    assert '{"send": "perhaps", "score": 99}' in again.user
    assert "reason: Field required" in again.user
    assert "score: Input should be less than or equal to 10" in again.user


async def test_there_is_no_third_round() -> None:
    model = Telling("no JSON at all", "still none", GOOD)
    with pytest.raises(SupportError) as caught:
        await StructuredModel(model).ask(a_prompt(), a_run(), Verdict)
    assert caught.value.code == "llm_misfit"
    assert model.asked == 2


async def test_a_refusal_is_not_asked_again() -> None:
    model = ScriptedModel((Completed(StopReason.REFUSED),))
    with pytest.raises(SupportError) as caught:
        await StructuredModel(model).ask(a_prompt(), a_run(), Verdict)
    assert caught.value.code == "llm_refused"
    assert len(model.prompts) == 1


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('{"a": {"b": [1, 2', {"a": {"b": [1, 2]}}),
        ('{"a": 1, "b":', {"a": 1, "b": None}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": "x}y", "b": 2} and } more', {"a": "x}y", "b": 2}),
        ("{'a': 'don't', 'b': -1.5}", None),
        ("{'a': 'they''re', 'b': None}", {"a": "theyre", "b": None}),
        ('{"a": "line\nbreak"}', {"a": "line\nbreak"}),
        ('{"a": "say \'hi\'"}', {"a": "say 'hi'"}),
    ],
)
def test_objects_are_read_as_meant(said: str, meant: object) -> None:
    if meant is None:
        with pytest.raises(ValueError, match="cannot be read"):
            read_object(said)
    else:
        assert read_object(said) == meant


@pytest.mark.parametrize(
    "said", ["", "[1, 2]", "{" * 100, "{a: b()}", "{'a': __import__('os')}", "{1 + 1: 2}", "{**{}}", '{"a": \\d}']
)
def test_what_is_no_object_is_refused_in_words(said: str) -> None:
    with pytest.raises(ValueError, match="it"):
        read_object(said)


def test_a_long_answer_takes_no_long_time() -> None:
    for said in ("{" + '"a": 1, ' * 50_000, "{'" + "a' " * 50_000, '{"a": "' + "\\" * 50_000):
        try:
            read_object(said)
        except ValueError:
            continue

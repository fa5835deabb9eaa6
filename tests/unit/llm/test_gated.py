from contextlib import aclosing
from typing import Any, cast

import pytest

from support_agents.domain.errors import SupportError
from support_agents.llm.gated import GatedModel, StreamGate
from support_agents.ports import TextDelta
from support_agents.testing.llm import Pause, ScriptedModel
from tests.fixtures.models import a_prompt, a_run, heard


async def test_who_does_not_get_in_is_refused_at_once() -> None:
    gate = StreamGate(1)
    slow, quick = GatedModel(ScriptedModel(("one", Pause(5), "two")), gate), ScriptedModel(("hello",))
    stream = cast("Any", slow.stream(a_prompt(), a_run()))
    async with aclosing(stream):
        assert await anext(stream) == TextDelta("one")
        with pytest.raises(SupportError) as caught:
            await heard(GatedModel(quick, gate))
    assert caught.value.code == "llm_busy"
    assert quick.prompts == [], "who is refused has cost nothing"


@pytest.mark.parametrize("script", [("whole",), ("half", SupportError("llm_timeout", "late"))])
async def test_a_place_is_given_back_however_the_stream_ends(script: Any) -> None:
    gate = StreamGate(1)
    for _ in range(3):
        try:
            await heard(GatedModel(ScriptedModel(script), gate))
        except SupportError as error:
            assert error.code == "llm_timeout"  # noqa: PT017 - both ends are fine here, only the place matters
    assert gate.taken == 0


async def test_an_abandoned_stream_gives_its_place_back() -> None:
    gate = StreamGate(1)
    stream = cast("Any", GatedModel(ScriptedModel(("one", Pause(5))), gate).stream(a_prompt(), a_run()))
    async with aclosing(stream):
        await anext(stream)
        assert gate.taken == 1
    assert gate.taken == 0

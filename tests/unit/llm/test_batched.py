"""Streams passed on by sentences: every word arrives, the first and the ends of sentences at once."""

import time

import pytest

from support_agents.domain.errors import SupportError
from support_agents.llm.batched import BatchedModel
from support_agents.llm.gated import StreamGate
from support_agents.ports import Completed, StopReason, TextDelta
from support_agents.testing.llm import Pause, ScriptedModel
from tests.contracts.test_language_model import PROMPT, run

SAID = ("Hel", "lo", " Anna", ",", "\n\n", "You", " can", " return", " it", " within", " 30", " days", " [", "1", "].",
        " The", " item", " must", " be", " unused", " [1]", ".")  # fmt: skip


async def listened(model: BatchedModel, said: list[str]) -> None:
    """Put what is heard within 0.3 seconds into `said`."""
    async for item in model.stream(PROMPT, run(0.3)):
        said += [item.text] if isinstance(item, TextDelta) else []


async def test_every_word_arrives_in_fewer_pieces_and_the_end_last() -> None:
    items = [item async for item in BatchedModel(ScriptedModel(SAID)).stream(PROMPT, run())]
    texts = [item.text for item in items if isinstance(item, TextDelta)]
    assert "".join(texts) == "".join(SAID)
    assert len(texts) < len(SAID)
    assert texts[0] == SAID[0], "the first word is what hedges and patience wait for"
    assert isinstance(items[-1], Completed)


async def test_the_end_of_a_sentence_and_the_word_after_it_do_not_wait() -> None:
    said: list[str] = []
    with pytest.raises(SupportError):
        await listened(BatchedModel(ScriptedModel((*SAID[:16], Pause(20)))), said)
    assert "".join(said) == "".join(SAID[:16])


async def test_an_answer_wakes_who_listens_a_few_times_a_sentence() -> None:
    sentence = (" You", " can", " return", " it", " within", " thirty", " days", " of", " delivery", ".")
    items = [item async for item in BatchedModel(ScriptedModel(sentence * 6)).stream(PROMPT, run())]
    assert len(items) <= 1 + 6 * 3 + 1, "the first word; an end, the word after and what shows it whole; the last"


async def test_what_is_held_at_a_fault_is_passed_on() -> None:
    script = ("Hello", " half", " a", " sen", SupportError("llm_broken_stream", "broke", retryable=True))
    said: list[str] = []
    with pytest.raises(SupportError):
        await listened(BatchedModel(ScriptedModel(script)), said)
    assert "".join(said) == "Hello half a sen"


async def test_a_cut_stream_ends_as_cut_with_all_its_words() -> None:
    script = ("Hello", " half", Completed(StopReason.CUT))
    items = [item async for item in BatchedModel(ScriptedModel(script)).stream(PROMPT, run())]
    assert "".join(item.text for item in items if isinstance(item, TextDelta)) == "Hello half"
    assert items[-1] == Completed(StopReason.CUT)


async def test_a_pause_is_no_longer_than_the_run() -> None:
    began = time.monotonic()
    model = BatchedModel(ScriptedModel(("a", Pause(0.01), "b", Pause(0.01), "c")), pause=lambda: 60.0)
    with pytest.raises(SupportError):
        await listened(model, [])
    assert time.monotonic() - began < 10


def test_few_streams_are_read_as_they_come_and_many_in_gulps() -> None:
    gate = StreamGate(40)
    pauses = []
    for _ in range(40):
        gate.enter()
        pauses.append(gate.pause())
    assert pauses[3] == 0.0
    assert pauses == sorted(pauses)
    assert 0.05 < pauses[-1] < 0.1

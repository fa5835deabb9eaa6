from collections.abc import Sequence

import numpy as np
import pytest

from support_agents.adapters.extractive import ExtractiveModel, SentenceVectors
from support_agents.adapters.remembering import RememberingEmbedder
from support_agents.domain.errors import SupportError
from support_agents.ports import Completed, Prompt, StopReason, TextDelta, Vector
from support_agents.testing.knowledge import HashEmbedder
from support_agents.wording.outlines import all_lines
from tests.fixtures.drafting import CANCEL, a_run, drafting_given, order, passage


class Counting(HashEmbedder):
    """Counts the texts that reach it."""

    seen = 0

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.seen += len(texts)
        return await super().embed(texts)


def prompt(**changes: object) -> Prompt:
    values: dict[str, object] = {
        "agent": "drafting",
        "version": "drafting.1",
        "system": "",
        "user": "",
        "max_tokens": 100,
        "given": drafting_given("Please cancel it", "cancel_order", order=order(), passages=(passage(CANCEL),)),
    }
    return Prompt.model_validate({**values, **changes})


@pytest.mark.parametrize("sentences", [None, SentenceVectors(HashEmbedder())], ids=["words", "vectors"])
async def test_it_streams_like_any_model_and_ends_once(sentences: SentenceVectors | None) -> None:
    items = [item async for item in ExtractiveModel(sentences).stream(prompt(), a_run())]
    assert items[-1] == Completed(StopReason.COMPLETE)
    assert all(isinstance(item, TextDelta) for item in items[:-1])
    assert len(items) > 2


async def test_without_typed_facts_it_refuses() -> None:
    with pytest.raises(SupportError, match="typed facts"):
        _ = [item async for item in ExtractiveModel().stream(prompt(given=None), a_run())]


async def test_a_sentence_is_embedded_once() -> None:
    embedder = Counting()
    sentences = SentenceVectors(embedder)
    await sentences.warm([passage(CANCEL).passage], embedder)
    warm = embedder.seen
    _ = [item async for item in ExtractiveModel(sentences).stream(prompt(), a_run())]
    assert warm > 100
    assert embedder.seen - warm <= 2  # the message itself


async def test_memory_keeps_the_latest_and_answers_as_the_embedder_would() -> None:
    embedder = Counting()
    memory = RememberingEmbedder(embedder, room=2)
    rows = await memory.embed(["a b", "c d", "a b"])
    assert np.array_equal(rows, await HashEmbedder().embed(["a b", "c d", "a b"]))
    await memory.embed(["e f"])
    await memory.embed(["c d"])
    assert embedder.seen == 3
    assert (await memory.embed([])).shape == (0, embedder.dimensions)
    assert (memory.version, memory.dimensions) == (embedder.version, embedder.dimensions)


async def test_a_customers_words_are_compared_and_not_kept() -> None:
    embedder = Counting()
    sentences = SentenceVectors(embedder)
    ours = all_lines()[:1]
    for at in range(20):
        await sentences.similarity(ours, ["what we say"])
        await sentences.similarity([f"where is order {at}"], ["what we say"])
    assert [*sentences.memory._known] == [*ours, "what we say"]
    assert embedder.seen == 2 + 20


async def test_passing_by_gives_the_same_rows_and_drives_nothing_out() -> None:
    embedder = Counting()
    memory = RememberingEmbedder(embedder, room=2)
    await memory.embed(["a b", "c d"])
    rows = await memory.passing(["e f", "a b", "e f"])
    assert np.array_equal(rows, await HashEmbedder().embed(["e f", "a b", "e f"]))
    await memory.embed(["a b", "c d"])
    assert embedder.seen == 3
    assert (await memory.passing([])).shape == (0, embedder.dimensions)


async def test_a_row_that_is_kept_keeps_no_other() -> None:
    memory = RememberingEmbedder(HashEmbedder(), room=1)
    await memory.embed(["a b", "c d", "e f"])
    assert [row.base for row in memory._known.values()] == [None]

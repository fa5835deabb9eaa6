import asyncio
import dataclasses
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from support_agents.domain.errors import SupportError
from support_agents.domain.intent import UNKNOWN
from support_agents.intents.asks import answered
from support_agents.intents.doubt import SIGNS, SURROUNDING, crowding, signs
from support_agents.intents.kernel import KernelHead, distribution, stored
from support_agents.intents.kernel_manifest import KernelManifest, Scope
from support_agents.intents.kernel_training import train
from support_agents.intents.labelled import Labelled
from support_agents.intents.manifest import HEAD_NAME, MANIFEST_NAME
from support_agents.intents.model import softmax
from support_agents.intents.registry import Registry
from support_agents.ports import Vector

KEY = b"k" * 32
TOPICS = {
    "parcel": "where is my parcel shipment tracking courier",
    "refund": "give me back money refund return paid",
    "password": "forgot password login reset account enter",
    "invoice": "need invoice receipt bill tax company",
}


@dataclass(frozen=True)
class WordEmbedder:
    """Unit vectors in which texts with the same words are near each other."""

    version: str = "words"
    dimensions: int = 64

    async def embed(self, texts: Sequence[str]) -> Vector:
        rows = np.array([np.sum([self._of(word) for word in text.split()], axis=0) for text in texts])
        return np.asarray(rows / np.maximum(1e-9, np.linalg.norm(rows, axis=1, keepdims=True)), dtype=np.float32)

    def _of(self, word: str) -> Vector:
        return np.random.default_rng(list(word.encode())).normal(size=self.dimensions).astype(np.float32)


def labelled(count: int, seed: int) -> Labelled:
    draw = np.random.default_rng(seed)
    rows = [
        (" ".join(draw.choice(words.split(), 4)), name) for name, words in sorted(TOPICS.items()) for _ in range(count)
    ]
    texts, names = zip(*rows, strict=True)
    return Labelled(texts, names, f"{seed:064x}")


@pytest.fixture(scope="module")
def trained() -> tuple[KernelHead, bytes]:
    return asyncio.run(train("shop", labelled(30, 1), WordEmbedder(), lambda *_: None))


async def test_a_head_knows_what_it_was_shown_and_says_so(trained: tuple[KernelHead, bytes]) -> None:
    head, _ = trained
    fresh = labelled(25, 2)
    vectors = await WordEmbedder().embed(fresh.texts)
    given = [
        answered(head.rank(text, row), head.threshold).name for text, row in zip(fresh.texts, vectors, strict=True)
    ]
    assert np.mean([one == name for one, name in zip(given, fresh.intents, strict=True)]) > 0.9


async def test_what_belongs_to_no_intent_is_unknown(trained: tuple[KernelHead, bytes]) -> None:
    head, _ = trained
    strange = ["weather sunny tomorrow umbrella", "recipe soup lentil onion", "train berlin ticket platform"]
    vectors = await WordEmbedder().embed(strange)
    ranked = [head.rank(text, row) for text, row in zip(strange, vectors, strict=True)]
    assert [answered(scores, head.threshold).name for scores in ranked] == [UNKNOWN] * 3


async def test_the_names_of_intents_count_as_examples_where_there_are_few() -> None:
    head, _ = await train("few", labelled(5, 1), WordEmbedder(), lambda *_: None)
    assert head.manifest.examples == 5 * len(TOPICS) + len(TOPICS)


async def test_training_is_repeatable_and_valid_rows_set_what_is_refused() -> None:
    first, first_bytes = await train("a", labelled(30, 1), WordEmbedder(), lambda *_: None)
    again, again_bytes = await train("a", labelled(30, 1), WordEmbedder(), lambda *_: None)
    assert (first_bytes, first.manifest.scope) == (again_bytes, again.manifest.scope)
    checked, _ = await train("a", labelled(30, 1), WordEmbedder(), lambda *_: None, valid=labelled(50, 9))
    assert checked.manifest.metrics.held_out == 50 * len(TOPICS)
    assert checked.manifest.metrics.refused <= 0.03


async def test_one_intent_is_too_few() -> None:
    with pytest.raises(SupportError) as caught:
        await train("a", Labelled(("a", "b"), ("x", "x"), "0"), WordEmbedder(), lambda *_: None)
    assert caught.value.code == "examples_incomplete"


def test_unknown_is_first_exactly_where_the_doubt_outweighs() -> None:
    draw = np.random.default_rng(3)
    scores = draw.normal(size=(500, 7)).astype(np.float32) * 0.1
    inside = draw.random(500)
    found = distribution(scores, inside, 1.0)
    assert found.sum(axis=1) == pytest.approx(1)
    assert ((found.argmax(axis=1) == 7) == (inside < 0.5)).all()
    assert (found[:, :7].argmax(axis=1) == softmax(10 * scores.astype(np.float64)).argmax(axis=1)).all()


def test_signs_tell_a_near_message_from_a_far_one() -> None:
    likeness = np.array([[0.9, 0.8, 0.1], [0.1, 0.1, 0.1]], dtype=np.float32)
    scores = np.array([[0.9, 0.1], [0.2, 0.2]], dtype=np.float32)
    close = np.array([[0.9, 0.2], [0.1, 0.1]], dtype=np.float32)
    crowded = np.array([0.7, 0.7, 0.1], dtype=np.float32)
    near, far = signs(scores, likeness, np.array([0, 0, 1]), close, crowded)
    assert len(near) == len(SIGNS)
    assert (near > far).all()
    assert near[3] == pytest.approx(0.85)  # of the two examples of its own class


def test_as_far_from_a_crowd_is_stranger_than_from_scattered_examples() -> None:
    draw = np.random.default_rng(4)
    places = np.eye(2, 40, dtype=np.float32)[np.repeat([0, 1], 12)]
    examples = places + np.repeat([0.02, 0.15], 12)[:, None].astype(np.float32) * draw.normal(size=(24, 40))
    examples = (examples / np.linalg.norm(examples, axis=1, keepdims=True)).astype(np.float32)
    crowded = crowding(examples @ examples.T)
    one = examples @ examples[0]
    assert crowded[0] == pytest.approx(np.sort(np.delete(one, 0))[-SURROUNDING:].mean(), abs=1e-6)
    assert crowded[:12].min() > crowded[12:].max() + 0.1

    likeness = np.full((2, 24), 0.1, dtype=np.float32)
    likeness[0, :12] = likeness[1, 12:] = 0.5  # as far from the ones as from the others
    found = signs(np.eye(2, dtype=np.float32), likeness, np.repeat([0, 1], 12), np.eye(2, dtype=np.float32), crowded)
    assert found[0, :-1] == pytest.approx(found[1, :-1])
    assert found[0, -1] < found[1, -1] - 0.1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_crowding_of_few_examples(count: int) -> None:
    likeness = np.full((count, count), 0.4, dtype=np.float32)
    np.fill_diagonal(likeness, 1)
    assert crowding(likeness) == pytest.approx(0.4 if count > 1 else 0, abs=1e-6)


@pytest.mark.parametrize("count", [5, 30])
async def test_a_stored_head_answers_as_before(count: int, tmp_path: Path) -> None:
    head, content = await train("shop", labelled(count, 1), WordEmbedder(), lambda *_: None)
    assert (head.numbers.shift is not None) == (count == 5)  # vectors are moved where examples are few
    registry = Registry(tmp_path, KEY)
    version = registry.add(head.manifest, content)
    again = registry.load(version, embedder_version="words")
    vector = (await WordEmbedder().embed(["where is my parcel"]))[0]
    before, after = (one.rank("where is my parcel", vector) for one in (head, again))
    assert [score.name for score in before] == [score.name for score in after]
    assert [one.probability for one in before] == pytest.approx([one.probability for one in after], abs=5e-3)


def loaded(folder: Path, head: KernelHead, numbers: dict[str, object], **manifest: object) -> KernelHead:
    """The head read again from where it was stored with other numbers and another manifest, whose hash fits."""
    content = stored(dataclasses.replace(head.numbers, **numbers))  # type: ignore[arg-type]
    changed = {"head_sha256": hashlib.sha256(content).hexdigest(), **manifest}
    registry = Registry(folder, KEY)
    return registry.load(registry.add(head.manifest.model_copy(update=changed), content), embedder_version="words")


async def test_a_head_that_lacks_what_moves_its_vectors_is_refused(tmp_path: Path) -> None:
    head, _ = await train("shop", labelled(5, 1), WordEmbedder(), lambda *_: None)
    with pytest.raises(SupportError, match="shape of shift") as caught:
        loaded(tmp_path, head, {"shift": None})
    assert caught.value.code == "intents_mismatch"


async def test_a_head_that_lacks_what_its_doubt_weighs_is_refused(tmp_path: Path) -> None:
    head, _ = await train("shop", labelled(30, 1), WordEmbedder(), lambda *_: None)
    with pytest.raises(SupportError, match="shape of crowding"):
        loaded(tmp_path, head, {"crowding": None})


async def test_a_head_from_before_doubt_looked_at_surroundings_is_read(tmp_path: Path) -> None:
    head, _ = await train("shop", labelled(30, 1), WordEmbedder(), lambda *_: None)
    scope = Scope(weights=head.manifest.scope.weights[:-1], bias=head.manifest.scope.bias)
    again = loaded(tmp_path, head, {"crowding": None}, scope=scope, format=1)
    vector = (await WordEmbedder().embed(["where is my parcel"]))[0]
    assert again.rank("where is my parcel", vector)[0].name == "parcel"


@pytest.mark.parametrize("signs", [6, 8])
async def test_a_head_that_weighs_other_signs_than_its_format_is_refused(signs: int, tmp_path: Path) -> None:
    head, _ = await train("shop", labelled(30, 1), WordEmbedder(), lambda *_: None)
    with pytest.raises(SupportError, match="signs of doubt"):
        loaded(tmp_path, head, {}, scope=Scope(weights=(0.5,) * signs, bias=0))


async def test_a_head_with_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    head, _ = await train("shop", labelled(30, 1), WordEmbedder(), lambda *_: None)
    with pytest.raises(SupportError, match="numbers of crowding"):
        loaded(tmp_path, head, {"crowding": np.full_like(head.numbers.truth, np.nan, dtype=np.float32)})


async def test_a_head_from_before_vectors_were_moved_is_read(tmp_path: Path) -> None:
    head, _ = await train("shop", labelled(30, 1), WordEmbedder(), lambda *_: None)
    fields = json.loads(head.manifest.model_dump_json())
    del fields["recipe"]["moved"]
    registry = Registry(tmp_path, KEY)
    version = registry.add(KernelManifest.model_validate(fields), stored(head.numbers))
    assert registry.load(version, embedder_version="words").manifest.recipe.moved == 0


def test_versions_are_promoted_and_rolled_back(trained: tuple[KernelHead, bytes], tmp_path: Path) -> None:
    registry = Registry(tmp_path, KEY)
    assert registry.active() is None
    first, second = (registry.add(trained[0].manifest, trained[1]) for _ in range(2))
    assert (first, second) == ("shop-1", "shop-2")
    assert [one.version for one in registry.versions()] == [first, second]
    registry.promote(first)
    registry.promote(second)
    assert registry.active() == second
    assert registry.rollback() == first
    assert registry.active() == first
    assert registry.rollback() is None  # back to the shipped one
    assert registry.active() is None
    with pytest.raises(SupportError):
        registry.rollback()


@pytest.mark.parametrize("version", ["none-1", "../x", "", "shop-1/..", "."])
def test_what_is_not_there_cannot_be_promoted(tmp_path: Path, version: str) -> None:
    with pytest.raises(SupportError) as caught:
        Registry(tmp_path, KEY).promote(version)
    assert "intents list" in caught.value.message


def test_another_key_changed_bytes_or_a_swapped_manifest_are_refused(
    trained: tuple[KernelHead, bytes], tmp_path: Path
) -> None:
    registry = Registry(tmp_path, KEY)
    version = registry.add(trained[0].manifest, trained[1])
    with pytest.raises(SupportError) as caught:
        Registry(tmp_path, b"x" * 32).load(version, embedder_version="words")
    assert caught.value.code == "intents_unsigned"
    folder = tmp_path / version
    copy = Path(shutil.copytree(folder, tmp_path / "shop-7"))
    with pytest.raises(SupportError) as caught:  # a true signature under another name
        registry.load(copy.name, embedder_version="words")
    assert caught.value.code == "intents_unsigned"
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps({**manifest, "temperature": 9.0}))
    with pytest.raises(SupportError) as caught:
        registry.load(version, embedder_version="words")
    assert caught.value.code == "intents_unsigned"


def test_a_changed_head_and_another_embedder_are_refused(trained: tuple[KernelHead, bytes], tmp_path: Path) -> None:
    registry = Registry(tmp_path, KEY)
    version = registry.add(trained[0].manifest, trained[1])
    with pytest.raises(SupportError) as caught:
        registry.load(version, embedder_version="another")
    assert caught.value.code == "intents_mismatch"
    head = tmp_path / version / HEAD_NAME
    content = bytearray(head.read_bytes())
    content[-1] ^= 1
    head.write_bytes(content)
    with pytest.raises(SupportError) as caught:
        registry.load(version, embedder_version="words")
    assert caught.value.code == "intents_mismatch"


def test_a_pointer_that_nobody_here_wrote_is_refused(trained: tuple[KernelHead, bytes], tmp_path: Path) -> None:
    registry = Registry(tmp_path, KEY)
    version = registry.add(trained[0].manifest, trained[1])
    registry.promote(version)
    with pytest.raises(SupportError) as caught:
        Registry(tmp_path, b"x" * 32).active()
    assert caught.value.code == "intents_unsigned"

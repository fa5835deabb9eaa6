"""What every `IntentModel` does, fake and trained head alike."""

from itertools import pairwise

import numpy as np
import pytest

from support_agents.domain.intent import UNKNOWN
from support_agents.intents.manifest import MANIFEST_NAME, Manifest
from support_agents.intents.model import SHIPPED, IntentHead
from support_agents.ports import IntentModel
from support_agents.testing.intent import KeywordIntentModel


@pytest.fixture(scope="module", params=["keywords", "trained"])
def model(request: pytest.FixtureRequest) -> IntentModel:
    if request.param == "keywords":
        return KeywordIntentModel({"order_status": ("parcel",), "refund_request": ("refund",)})
    embedder = Manifest.model_validate_json((SHIPPED / MANIFEST_NAME).read_bytes()).embedder
    return IntentHead.load(embedder_version=embedder)


@pytest.mark.parametrize("text", ["Where is my parcel?", "", "What a day!", "Ich will eine Erstattung"])
def test_ranking_is_a_distribution_over_all_classes(model: IntentModel, text: str) -> None:
    scores = model.rank(text, np.zeros(384, dtype=np.float32))
    assert sum(score.probability for score in scores) == pytest.approx(1)
    assert len({score.name for score in scores}) == len(scores)
    assert all(one.probability >= after.probability for one, after in pairwise(scores))
    assert UNKNOWN in {score.name for score in scores}


def test_ranking_depends_on_its_input_alone(model: IntentModel) -> None:
    vector = np.zeros(384, dtype=np.float32)
    assert model.rank("Where is my parcel?", vector) == model.rank("Where is my parcel?", vector)


def test_threshold_and_version_are_stated(model: IntentModel) -> None:
    assert 0 <= model.threshold <= 1
    assert model.version


def test_it_can_say_what_it_names(model: IntentModel) -> None:
    scores = model.rank("Where is my parcel?", np.zeros(384, dtype=np.float32))
    assert sorted(model.names) == sorted(score.name for score in scores)

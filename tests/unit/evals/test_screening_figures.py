import json
from pathlib import Path

import pytest

from support_agents.domain.errors import SupportError
from support_agents.evals.screening import Files, Place, measure, put
from support_agents.screening.detection import Detector
from support_agents.testing.knowledge import HashEmbedder
from tests.fixtures.heads import ORDER_WORDS, words_head


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def detector() -> Detector:
    return Detector(HashEmbedder(), words_head(HashEmbedder()))


async def test_labelled_texts_of_either_field_are_judged_at_one_threshold(tmp_path: Path) -> None:
    data = lines(
        tmp_path / "a.jsonl",
        {"text": ORDER_WORDS, "label": 1},
        {"prompt": "nothing of the kind", "label": 1},
        {"prompt": "where is my parcel", "label": 0},
        {"text": f"{ORDER_WORDS} again", "label": 0},
    )
    figures = await measure(Files(data=data).samples(), detector(), lambda _done, _total: None)
    assert (figures.recall, figures.false_positive_rate, figures.accuracy) == (0.5, 0.5, 0.5)
    assert (figures.threshold, figures.attacks, figures.harmless) == (0.5, 2, 2)
    assert figures.auroc is not None
    assert 0 < figures.auroc < 1


async def test_each_attack_stands_at_each_place_of_each_context(tmp_path: Path) -> None:
    attacks = lines(tmp_path / "a.jsonl", {"attack": ORDER_WORDS}, {"attack": "be kind"})
    contexts = lines(tmp_path / "c.jsonl", {"context": "One here. Two here."}, {"context": "Alone"})
    figures = await measure(Files(attacks=attacks, contexts=contexts).samples(), detector(), lambda _done, _total: None)
    assert (figures.attacks, figures.harmless) == (12, 2)
    assert figures.recall_by_place == {"start": 0.5, "middle": 0.5, "end": 0.5}
    assert figures.false_positive_rate == 0


def test_the_middle_is_between_two_sentences() -> None:
    assert put("X.", "One here. Two. Three here, and more.", Place.MIDDLE) == "One here. Two. X. Three here, and more."
    assert put("X.", "One", Place.MIDDLE) == "One X. "
    assert put("X.", "One", Place.START) == "X.\nOne"
    assert put("X.", "One", Place.END) == "One\nX."


async def test_a_file_may_be_harmless_throughout(tmp_path: Path) -> None:
    path = lines(tmp_path / "b.jsonl", {"text": "a card question", "intent": "x"}, {"text": ORDER_WORDS, "intent": "y"})
    figures = await measure(Files(harmless=path).samples(), detector(), lambda _done, _total: None)
    assert (figures.recall, figures.false_positive_rate, figures.auroc) == (None, 0.5, None)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"label": 1}, "`text`"),
        ({"text": "a"}, "`label`"),
        ({"text": "a", "label": 2}, "`label`"),
        ({"text": "a", "label": [1]}, "`label`"),
    ],
)
def test_a_wrong_line_is_named(row: dict[str, object], name: str, tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"text": "a", "label": 0}, row)
    with pytest.raises(SupportError, match=rf"a\.jsonl line 2.*{name}"):
        Files(data=path).samples()


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        (
            "attacks",
            {"text": "a", "label": 0},
            "`label` says harmless, and every line of this file counts as one of the",
        ),
        ("contexts", {"context": "a", "label": "1"}, "`label` says an attack"),
        ("harmless", {"text": "a", "label": 1}, "`label` says an attack"),
        ("attacks", {"attack": "a", "label": "bad"}, "`label` must be 0"),
    ],
)
def test_a_file_of_one_kind_with_labels_of_both_is_refused(
    name: str, row: dict[str, object], said: str, tmp_path: Path
) -> None:
    kinds: dict[str, dict[str, object]] = {
        "attacks": {"attack": "b", "label": 1},
        "contexts": {"context": "b"},
        "harmless": {"text": "b", "label": 0},
    }
    files = {each: lines(tmp_path / f"{each}.jsonl", fine) for each, fine in kinds.items()}
    assert len(Files(**files).samples()) == 5
    lines(files[name], kinds[name], row)
    with pytest.raises(SupportError, match=rf"{name}\.jsonl line 2: field {said}"):
        Files(**files).samples()


def test_nothing_and_half_a_pair_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="--data"):
        Files().samples()
    with pytest.raises(SupportError, match="--contexts"):
        Files(attacks=tmp_path / "a").samples()

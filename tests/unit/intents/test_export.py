import json
from pathlib import Path

import pytest

from support_agents.domain.intent import Correction
from support_agents.intents.export import Shape, line
from support_agents.intents.labelled import Labelled

KNOWN = ("refund_request", "order_status")
SAID = Correction(
    text='Where "is"\nmy money?\u2028 [EMAIL]',
    language="en",
    guessed="order_status",
    intent="refund_request",
    model_version="m",
)


@pytest.mark.parametrize("shape", Shape)
def test_one_correction_is_one_line_of_json(shape: Shape) -> None:
    written = line(SAID, KNOWN, shape)
    assert "\n" not in written
    json.loads(written)


def test_lines_of_json_can_be_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line(SAID, KNOWN, Shape.JSONL) + "\n", encoding="utf-8")
    read = Labelled.read(path)
    assert (read.texts, read.intents) == ((SAID.text,), ("refund_request",))


def test_the_other_shapes_hold_what_fine_tuning_tools_read() -> None:
    alpaca = json.loads(line(SAID, KNOWN, Shape.ALPACA))
    assert (alpaca["input"], alpaca["output"]) == (SAID.text, "refund_request")
    assert "order_status, refund_request" in alpaca["instruction"]
    turns = json.loads(line(SAID, KNOWN, Shape.SHAREGPT))["conversations"]
    assert [(turn["from"], turn["value"]) for turn in turns] == [
        ("system", alpaca["instruction"]),
        ("human", SAID.text),
        ("gpt", "refund_request"),
    ]


def corrected(text: str, intent: str) -> Correction:
    return SAID.model_copy(update={"text": text, "intent": intent})


def test_the_newest_label_of_the_same_words_is_the_only_one() -> None:
    base = Labelled(("Where is it?", "My money"), ("order_status", "order_status"), "0")
    found = base.corrected((corrected("my  MONEY", "thanks"), corrected("My money", "refund_request")))
    assert (found.texts, found.intents) == (("Where is it?", "My money"), ("order_status", "refund_request"))
    assert found.sha256 != base.sha256
    assert base.corrected(()) is base

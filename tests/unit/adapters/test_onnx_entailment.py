"""The optional entailment model: real ONNX files, read or refused by name, and its word in check and measurement."""

import json
from pathlib import Path

import pytest

from support_agents.adapters.onnx_entailment import OnnxEntailment
from support_agents.agents.compliance import ComplianceAgent
from support_agents.agents.drafting import cite
from support_agents.domain.errors import SupportError
from support_agents.domain.sections import CheckResult, ComplianceGiven, Sentence
from support_agents.evals.grounding import measure
from support_agents.evals.grounding_rows import GroundingRow
from support_agents.policy.ledger import PolicyLedger
from tests.fixtures.drafting import RETURNS, drafting_given, passage
from tests.fixtures.tiny_entailment import written


@pytest.fixture
def model(tmp_path: Path) -> OnnxEntailment:
    return OnnxEntailment.load(written(tmp_path / "tiny"))


def test_what_does_not_follow_is_unsupported(model: OnnxEntailment) -> None:
    assert model.unsupported("We open at nine", "yes") < 0.01
    assert model.unsupported("We open at nine", "never") > 0.99
    assert model.version.startswith("tiny.")


def test_a_long_source_is_cut_and_the_claim_is_not(model: OnnxEntailment) -> None:
    assert model.unsupported("word " * 5_000, " ".join(["never"] * 20)) > 0.99


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("model.onnx", None, "cannot be read"),
        ("model.onnx", b"no model", "is no ONNX model"),
        ("tokenizer.json", b"{}", "is no tokenizer file"),
        ("config.json", b"[]", "has no `id2label`"),
        ("config.json", json.dumps({"id2label": {"0": "yes", "1": "no"}}).encode(), "needs one label"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    path = written(tmp_path) / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SupportError, match=told) as raised:
        OnnxEntailment.load(tmp_path)
    assert str(path) in str(raised.value)


def test_a_model_with_other_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="has no input attention_mask"):
        OnnxEntailment.load(written(tmp_path, inputs=("input_ids",)))


def test_the_check_flags_what_the_model_does_not_find(model: OnnxEntailment) -> None:
    drafting = drafting_given("Can I return it?", "return_request", passages=(passage(RETURNS),))
    given = ComplianceGiven(drafting=drafting, customer_email="a@example.com", source_language="en")
    agent = ComplianceAgent(PolicyLedger(version="none"), model)

    def word(text: str) -> tuple[CheckResult, bool]:
        verdict = agent.check(Sentence(text=text, citations=(cite(text, drafting, 1),)), 0, given)
        check = next(check for check in verdict.checks if check.name == "follows_from_source")
        return check.result, verdict.keep

    assert word("Surely yes , an item can be returned within 30 days of delivery.")[0] is CheckResult.PASSED
    assert word("You can return an item within 30 days of delivery.")[0] is CheckResult.PASSED
    failed, _ = word("You can never ever never return an item within 30 days of delivery.")
    assert failed is CheckResult.FAILED


def test_the_measurement_counts_its_word_beside_the_signs(model: OnnxEntailment) -> None:
    row = GroundingRow(doc="We open at nine.", summary="We open at nine never", label=0)
    alone = measure([row], "fr", lambda _done, _total: None)
    both = measure([row], "fr", lambda _done, _total: None, entailment=model)
    assert (alone.wrong_flagged, alone.entailment) == (0.0, None)
    assert (both.wrong_flagged, both.entailment) == (1.0, model.version)

"""What a draft says of days and money is held against the clauses in force; articles give way to them."""

from datetime import date
from pathlib import Path

import pytest

from support_agents.agents.checks.policy_claims import Window, windows_in
from support_agents.agents.compliance import ComplianceAgent
from support_agents.agents.drafting import cite
from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.sections import Check, ComplianceGiven, Sentence
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.loading import load_policy
from tests.fixtures.drafting import TODAY, drafting_given, passage

LEDGER = """
version: "1"
clauses:
  - {id: return-window, version: 1, text: "An item may be returned within 14 days of delivery.",
     valid_from: 2020-01-01, valid_until: 2024-12-31, owner: care, verified_on: 2024-01-01,
     applies_to: [return_request], rule: {action: issue_refund, window_days: 14}}
  - {id: return-window, version: 2, text: "An item may be returned within 30 days of delivery.",
     valid_from: 2025-01-01, owner: care, verified_on: 2026-01-01,
     applies_to: [return_request], rule: {action: issue_refund, window_days: 30}}
  - {id: damage-report, version: 1, text: "A damaged item is reported with photos within 14 days of delivery.",
     valid_from: 2025-01-01, owner: care, verified_on: 2026-01-01, applies_to: [damaged_item],
     rule: {action: issue_refund, window_days: 14}}
  - {id: label-cost, version: 1, text: "A further return label for an order costs €3.95.",
     valid_from: 2025-01-01, owner: care, verified_on: 2026-01-01, applies_to: [return_request]}
"""


@pytest.fixture
def ledger(tmp_path: Path) -> PolicyLedger:
    return ledger_of(tmp_path, LEDGER)


def ledger_of(tmp_path: Path, text: str) -> PolicyLedger:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return load_policy(path)


def judged(
    ledger: PolicyLedger,
    text: str,
    *,
    language: str = "en",
    today: date = TODAY,
    article: RetrievedPassage | None = None,
) -> Check:
    """Quote `text` from an article, one that says just this unless another is given; return the ledger's word."""
    found = article or passage(text, title="Returns", language=language)
    drafting = drafting_given("?", "return_request", passages=(found,), language=language, today=today)
    given = ComplianceGiven(drafting=drafting, customer_email="a@example.com", source_language=language)
    sentence = Sentence(text=text, citations=(cite(text, drafting, 1),))
    verdict = ComplianceAgent(ledger).check(sentence, 0, given)
    return next(check for check in verdict.checks if check.name == "policy_ledger")


def test_a_claim_that_a_clause_in_force_bears_stands(ledger: PolicyLedger) -> None:
    assert judged(ledger, "You can return an item within thirty days of receiving it.").reason == ""


def test_the_ledger_outranks_an_article_and_names_it(ledger: PolicyLedger) -> None:
    check = judged(ledger, "You can return an item within 60 days of delivery.")
    assert check.reason == (
        "the policy says 30 days, not 60 days (return-window v2); "
        "the article “Returns” says otherwise and needs mending"
    )


def test_words_of_its_own_are_held_against_the_ledger_too(ledger: PolicyLedger) -> None:
    source = "Items come back to us within 60 days of delivery, and you return an item with a label."
    check = judged(
        ledger, "You can return any item within 60 days of delivery.", article=passage(source, title="Return an item")
    )
    assert check.reason == "the policy says 30 days, not 60 days (return-window v2)"


def test_a_clause_counts_on_its_days_only(ledger: PolicyLedger) -> None:
    said = "You can return an item within 14 days of delivery."
    assert "the policy says 30 days" in judged(ledger, said).reason
    assert judged(ledger, said, today=date(2024, 6, 1)).reason == ""


def test_a_claim_that_only_an_expired_clause_bears_names_it(tmp_path: Path) -> None:
    old = LEDGER.split("  - {id: return-window, version: 2", maxsplit=1)[0]
    check = judged(ledger_of(tmp_path, old), "You can return an item within 14 days of delivery.")
    assert check.reason.startswith("“14 days” is from return-window v1, which is not in force today")


def test_the_window_of_another_matter_is_no_conflict(ledger: PolicyLedger) -> None:
    assert judged(ledger, "Please report a damaged item with photos within 14 days of delivery.").reason == ""
    assert judged(ledger, "Drop the item off within 10 days of registering your return.").reason == ""
    assert judged(ledger, "A return reaches us within 5 working days of delivery to the carrier.").reason == ""


def test_money_is_held_against_clauses_that_state_it(ledger: PolicyLedger) -> None:
    assert judged(ledger, "A further return label for the same order costs €3.95.").reason == ""
    wrong = judged(ledger, "A further return label for the same order costs €4.95.")
    assert "the policy says €3.95, not €4.95" in wrong.reason


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("de", "Sie können Artikel innerhalb von 30 Tagen nach Lieferung zurückgeben.", "60"),
        ("es", "Puedes devolver un artículo en 30 días desde la entrega.", "60"),
        ("fr", "Vous pouvez retourner un article dans les 30 jours suivant la livraison.", "60"),
    ],
)
def test_other_languages_are_held_to_the_windows(ledger: PolicyLedger, language: str, right: str, wrong: str) -> None:
    assert judged(ledger, right, language=language).reason == ""
    assert "the policy says" in judged(ledger, right.replace("30", wrong), language=language).reason


def test_without_a_ledger_nothing_is_held_against_it() -> None:
    assert judged(PolicyLedger(version="none"), "You can return an item within 60 days of delivery.").reason == ""


def test_a_strict_file_drops_what_no_clause_speaks_of(tmp_path: Path) -> None:
    strict = ledger_of(tmp_path, f"{LEDGER}checks: {{uncovered_claims: drop}}\n")
    said = "Delivery takes 3 working days from dispatch."
    assert judged(strict, said).reason == "no clause of the policy speaks of “3 working days”"
    assert judged(ledger_of(tmp_path, LEDGER), said).reason == ""
    assert (
        judged(strict, "Gift wrapping is free of charge.").reason
        == "no clause of the policy speaks of “free of charge”"
    )
    assert judged(strict, "You can return an item within 30 days of delivery.").reason == ""
    assert judged(strict, "Our stores are in three towns.").reason == ""


def test_windows_are_read_with_what_they_are_counted_from() -> None:
    assert windows_in("Within 30 days of delivery, or 2 working days after dispatch.") == (
        Window("30", "day", "delivery"),
        Window("2", "working day", "dispatch"),
    )
    assert windows_in("innerhalb von 14 Tagen nach Erhalt") == (Window("14", "day", "delivery"),)

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.domain.action import ActionKind, ClauseRef
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts, OrderStatus
from support_agents.policy.clauses import Rule
from support_agents.policy.loading import load_policy
from support_agents.policy.refunds import obstacles, refundable

TODAY = date(2026, 11, 22)
CLAUSE = """
  - id: returns
    version: 2
    text: "Refunded within 30 days of delivery."
    valid_from: 2025-01-01
    owner: service
    verified_on: 2026-11-01
    applies_to: [refund_request]
    rule: {action: issue_refund, window_days: 30, counted_from: delivered_on, statuses: [delivered, returned],
           max_amount_minor: {EUR: 25000}}
"""
OLD = CLAUSE.replace("version: 2", "version: 1").replace(
    "valid_from: 2025-01-01", "valid_from: 2020-01-01\n    valid_until: 2024-12-31"
)


def written(tmp_path: Path, clauses: str, *, version: str = 'version: "1"') -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(f"{version}\nclauses:{clauses}")
    return path


def test_only_clauses_in_force_apply(tmp_path: Path) -> None:
    ledger = load_policy(written(tmp_path, OLD + CLAUSE))
    assert [clause.version for clause in ledger.clauses_for("refund_request", TODAY)] == [2]
    assert [clause.version for clause in ledger.clauses_for("refund_request", date(2024, 12, 31))] == [1]
    assert ledger.clauses_for("invoice_request", TODAY) == ()
    assert [clause.version for clause in ledger.expired(TODAY)] == [1]
    assert ledger.expired(date(2024, 12, 31)) == ()
    assert ledger.clause(ClauseRef(id="returns", version=1)) is not None
    assert ledger.version.startswith("1.")


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("owner: service", "owner: ''", ["returns", "owner"]),
        ("valid_from: 2025-01-01", "valid_from: soon", ["returns", "valid_from"]),
        ("valid_from: 2025-01-01", "valid_from: 2025-02-30", ["returns", "valid_from", "valid date"]),
        ("owner: service", "owner: {service", ["line 8: is not YAML"]),
        ("window_days: 30", "window_days: -1", ["returns", "rule.window_days"]),
        ("statuses: [delivered, returned]", "statuses: [lost]", ["returns", "rule.statuses"]),
        ("id: returns", "id: returns\n    amount: 5", ["returns", "amount"]),
        ("id: returns", "title: returns", ["number 1", "id"]),
        ("valid_from: 2025-01-01", "valid_from: 2025-01-01\n    valid_until: 2024-01-01", ["valid_until is before"]),
        ("{EUR: 25000}", "{euro: 25000}", ["returns", "max_amount_minor"]),
    ],
)
def test_an_error_names_file_clause_and_field(tmp_path: Path, before: str, after: str, names: list[str]) -> None:
    assert before in CLAUSE
    with pytest.raises(SupportError) as raised:
        load_policy(written(tmp_path, CLAUSE.replace(before, after)))
    for name in ["policy.yaml", *names]:
        assert name in raised.value.message


@pytest.mark.parametrize("text", ["", "[]", "clauses: []", "version: 1", "version: 1\nclauses: {}", "a: ]"])
def test_a_file_without_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(SupportError, match="policy"):
        load_policy(path)


def test_a_file_in_another_encoding_is_refused_with_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, CLAUSE)
    path.write_bytes(path.read_bytes() + "# für alle".encode("latin-1"))
    with pytest.raises(SupportError, match=r"policy\.yaml: line 12: is not UTF-8"):
        load_policy(path)


def test_a_part_whose_name_has_a_slip_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match=r"policy\.yaml: there is no part “chekcs”; known: .*checks"):
        load_policy(written(tmp_path, f"{CLAUSE}\nchekcs: {{debate: {{intents: [complaint]}}}}\n"))


def test_steps_are_offered_where_the_file_names_them(tmp_path: Path) -> None:
    path = written(tmp_path, CLAUSE)
    assert load_policy(path).offered == frozenset()
    told = path.read_text()
    path.write_text(f"{told}\nsteps: [cancel_order, delete_record]\n")
    assert load_policy(path).offered == {ActionKind.CANCEL_ORDER, ActionKind.DELETE_RECORD}
    for wrong in ("cancel_order", "[cancel]", "[issue_refund]", "[send_reply]", "[[]]", "{cancel_order: true}"):
        path.write_text(f"{told}\nsteps: {wrong}\n")
        with pytest.raises(SupportError, match="steps: a list of cancel_order, delete_record, replace_order"):
            load_policy(path)


def test_two_versions_must_not_hold_on_one_day(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="same day"):
        load_policy(written(tmp_path, CLAUSE.replace("version: 2", "version: 1") + CLAUSE))
    with pytest.raises(SupportError, match="stands twice"):
        load_policy(written(tmp_path, CLAUSE + CLAUSE))
    with pytest.raises(SupportError, match="cannot be read"):
        load_policy(tmp_path / "missing.yaml")


def test_a_claim_is_checked_against_the_clauses_it_names(tmp_path: Path) -> None:
    ledger = load_policy(written(tmp_path, OLD + CLAUSE))
    current, old = ClauseRef(id="returns", version=2), ClauseRef(id="returns", version=1)
    assert ledger.check_claim("You have thirty days.", (current,), TODAY) == ()
    assert "60" in ledger.check_claim("You have 60 days.", (current,), TODAY)[0]
    assert "does not hold" in ledger.check_claim("You have 30 days.", (old,), TODAY)[0]
    assert "unknown" in ledger.check_claim("No.", (ClauseRef(id="x", version=1),), TODAY)[0]


def order(**changes: object) -> OrderFacts:
    values: dict[str, object] = {
        "order_id": "A-1",
        "status": OrderStatus.DELIVERED,
        "item": "Lamp",
        "placed_on": TODAY - timedelta(days=20),
        "delivered_on": TODAY - timedelta(days=10),
        "total": Money(minor=5_000, currency="EUR"),
        "refunded": Money(minor=0, currency="EUR"),
        "payment_ref": "P1",
        "account_last4": "1234",
        "version": "v",
    }
    return OrderFacts.model_validate({**values, **changes})


RULE = Rule(action="issue_refund", window_days=30, statuses=(OrderStatus.DELIVERED,), max_amount_minor={"EUR": 25_000})


@pytest.mark.parametrize(
    ("rule", "changes", "evidence", "reason"),
    [
        (RULE, {"status": OrderStatus.SHIPPED, "delivered_on": None}, True, "the order is shipped"),
        (RULE, {"delivered_on": None}, True, "no delivered on date"),
        (RULE, {"delivered_on": TODAY - timedelta(days=31)}, True, "ended on 2026-11-21"),
        (RULE.model_copy(update={"needs_evidence": True}), {}, False, "nothing is attached"),
        (RULE.model_copy(update={"needs_return": True}), {}, True, "has not come back"),
        (RULE, {"refunded": Money(minor=5_000, currency="EUR")}, True, "refunded already"),
        (RULE, {"total": Money(minor=25_001, currency="EUR")}, True, "above the limit"),
        (
            RULE,
            {"total": Money(minor=1, currency="USD"), "refunded": Money(minor=0, currency="USD")},
            True,
            "above the limit",
        ),
    ],
)
def test_every_limit_stops_a_refund(rule: Rule, changes: dict[str, object], reason: str, *, evidence: bool) -> None:
    found = obstacles(rule, order(**changes), TODAY, evidence=evidence)
    assert any(reason in text for text in found)


def test_the_last_day_of_the_window_still_counts() -> None:
    assert obstacles(RULE, order(delivered_on=TODAY - timedelta(days=30)), TODAY, evidence=False) == ()


@given(st.integers(min_value=0, max_value=10**7), st.integers(min_value=0, max_value=10**7))
def test_never_more_than_what_is_left_of_the_payment(total: int, refunded: int) -> None:
    case = order(total=Money(minor=total, currency="EUR"), refunded=Money(minor=refunded, currency="EUR"))
    assert refundable(case).minor == total - refunded
    allowed = obstacles(RULE, case, TODAY, evidence=True) == ()
    assert allowed is (0 < total - refunded <= 25_000)


def split(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


REST = 'version: "2026-11"\nsteps: [cancel_order]\nvoice: {never_say: [cheap]}\n'


def test_the_files_of_a_folder_make_one_policy(tmp_path: Path) -> None:
    folder = split(tmp_path, a=f"clauses:{CLAUSE}", b=f"clauses:{CLAUSE.replace('id: returns', 'id: late')}", c=REST)
    for ignored in (".draft.yaml", "notes.md"):
        (folder / ignored).write_text("not: [ours")
    ledger = load_policy(folder)
    assert [clause.id for clause in ledger.clauses] == ["returns", "late"]
    assert ledger.offered == {ActionKind.CANCEL_ORDER}
    assert ledger.voice.never_say == ("cheap",)
    assert ledger.version.startswith("2026-11.")
    (folder / "d.yml").write_text(f"clauses:{CLAUSE.replace('id: returns', 'id: other')}")
    changed = load_policy(folder)
    assert len(changed.clauses) == 3
    assert changed.version != ledger.version


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a": f"clauses:{CLAUSE}", "b": f"clauses:{CLAUSE}", "c": REST}, r"b\.yaml: .*stands twice.*in a\.yaml"),
        (
            {"a": f"clauses:{CLAUSE}", "b": f"clauses:{CLAUSE.replace('version: 2', 'version: 3')}", "c": REST},
            r"b\.yaml: .*same day.*in a\.yaml",
        ),
        ({"a": f"clauses:{CLAUSE}", "b": REST, "c": REST}, r"c\.yaml: version: stands in b\.yaml as well"),
        ({"a": f"clauses:{CLAUSE}", "b": f"{REST}tests: 1"}, r"b\.yaml: there is no part “tests”"),
        ({"a": f"clauses:{CLAUSE}"}, r"policies: needs a `version`"),
        ({"a": f"clauses:{CLAUSE}", "b": "version: ''"}, r"b\.yaml: needs a `version`"),
        ({"a": REST}, r"policies: needs `version` and a list `clauses`"),
        ({"a": REST, "b": "clauses: {}"}, r"b\.yaml: needs `version` and a list `clauses`"),
        ({}, r"policies: no file in this folder ends in \.yaml"),
    ],
)
def test_what_is_wrong_in_a_folder_is_told_of_its_file(tmp_path: Path, files: dict[str, str], told: str) -> None:
    with pytest.raises(SupportError, match=told):
        load_policy(split(tmp_path, **files))

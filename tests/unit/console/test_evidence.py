"""The verdict in one line, quotes marked in their passages, stages on a time line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.views.evidence import check_lines, stage_bars, stretched
from approvals.verdict_line import verdict_line
from approvals.wording import Tone
from support_agents.domain.runs import StageTiming
from support_agents.domain.sections import Check, CheckResult, ComplianceSection, Sentence, Severity, Verdict

PASSED = Check(name="cited", result=CheckResult.PASSED, sentence=0)
FAILED = Check(name="numbers_in_source", result=CheckResult.FAILED, reason="14 days is nowhere", sentence=1)
REMARK = Check(name="tone", result=CheckResult.FAILED, severity=Severity.FLAG, reason="it shouts", sentence=0)


def compliance(verdict: Verdict, *checks: Check, stated: int = 4, confirmed: int = 4) -> ComplianceSection:
    dropped = (Sentence(text="gone"),) if verdict is Verdict.REPAIRED else ()
    return ComplianceSection(
        verdict=verdict, checks=checks, dropped=dropped, facts_stated=stated, facts_confirmed=confirmed
    )


@pytest.mark.parametrize(
    ("section", "line", "tone"),
    [
        (compliance(Verdict.PASS, PASSED), "4 facts, 4 confirmed", Tone.GOOD),
        (compliance(Verdict.PASS, stated=0, confirmed=0), "states no facts", Tone.GOOD),
        (compliance(Verdict.PASS, stated=1, confirmed=0), "1 fact, 0 confirmed", Tone.BAD),
        (compliance(Verdict.REPAIRED, FAILED), "4 facts, 4 confirmed · 1 sentence dropped", Tone.CARE),
        (
            compliance(Verdict.FLAGGED, FAILED, confirmed=3),
            "4 facts, 3 confirmed – only as a person’s own word",
            Tone.BAD,
        ),
        (compliance(Verdict.FLAGGED, REMARK), "4 facts, 4 confirmed · 1 remark: read with care", Tone.CARE),
        (compliance(Verdict.FLAGGED, REMARK, FAILED), "4 facts, 4 confirmed – only as a person’s own word", Tone.BAD),
        (compliance(Verdict.BLOCKED, FAILED), "4 facts, 4 confirmed – not fit to send", Tone.BAD),
        (None, "not checked: the run gave up before", Tone.BAD),
    ],
)
def test_the_verdict_is_one_line(section: ComplianceSection | None, line: str, tone: Tone) -> None:
    shown = verdict_line(section)
    assert (shown.line, shown.tone) == (line, tone)
    if section and FAILED in section.checks:
        assert shown.problems[-1] == "numbers in source: 14 days is nowhere"


def test_failures_come_first_and_passes_are_counted() -> None:
    lines = check_lines((PASSED, FAILED, PASSED))
    assert [(line.name, line.words) for line in lines] == [
        ("numbers_in_source", "14 days is nowhere"),
        ("cited", "passed 2 times"),
    ]


@given(st.text(alphabet="ab .", max_size=40), st.lists(st.text(alphabet="ab .", max_size=6), max_size=4))
def test_marking_quotes_changes_no_word(text: str, quotes: list[str]) -> None:
    pieces = stretched(text, quotes)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)


def test_overlapping_quotes_become_one() -> None:
    pieces = stretched("one two three four", ["one two", "two three"])
    assert "".join(piece.text for piece in pieces if piece.quoted) == "one two three"


def test_stages_stand_where_they_were() -> None:
    first, second = stage_bars(
        [
            StageTiming(stage="intent", started_ms=0, took_ms=10),
            StageTiming(stage="query_embedding", started_ms=10, took_ms=30, error="timeout"),
        ]
    )
    assert (first.x, first.width, second.x, second.width) == (0, 25, 25, 75)
    assert (second.stage, second.took, second.error) == ("query embedding", "30", "timeout")


def test_no_stage_is_no_bar() -> None:
    assert stage_bars([]) == ()

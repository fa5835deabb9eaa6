"""A reply is held to its channel's words: between greeting and closing, flagged and never cut, macros as approved."""

from pathlib import Path
from typing import Any

import pytest

from support_agents.agents.compliance import ComplianceAgent
from support_agents.agents.drafting import cite
from support_agents.domain.errors import SupportError
from support_agents.domain.macro import BoundSentence, ChosenMacro
from support_agents.domain.sections import (
    Check,
    CheckResult,
    ComplianceGiven,
    ComplianceSection,
    Sentence,
    Verdict,
)
from support_agents.domain.ticket import Channel
from support_agents.domain.voice import Voice
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.loading import load_policy
from support_agents.wording.letters import closing_of, count_words
from tests.fixtures.drafting import RETURNS, drafting_given, passage

SENTENCE = "You can return an item within 30 days of delivery."  # ten words
OPEN = "Your question about your invoice is with a colleague, who will answer it separately."


def judged(sentences: int, ledger: PolicyLedger | None = None, *more: Sentence, **changes: Any) -> ComplianceSection:
    """Judge a letter that says the same ten words so many times, and `more`."""
    drafting = drafting_given("Can I return it?", "return_request", passages=(passage(RETURNS),), **changes)
    given = ComplianceGiven(drafting=drafting, customer_email="anna@example.com", source_language="en")
    stated = (Sentence(text=SENTENCE, citations=(cite(SENTENCE, drafting, 1),)) for _ in range(sentences))
    letter = (Sentence(text="Hi Anna,", courtesy=True), *stated, *more, *closing_of(drafting))
    agent = ComplianceAgent(ledger or PolicyLedger(version="none"))
    return agent.close(letter, tuple(agent.check(one, at, given) for at, one in enumerate(letter)), given)


def length_of(section: ComplianceSection) -> Check:
    (check,) = (check for check in section.checks if check.name == "channel_length")
    return check


def test_a_chat_that_is_too_long_is_flagged_and_stays_whole() -> None:
    section = judged(5, channel=Channel.CHAT)
    assert (section.verdict, section.dropped) == (Verdict.FLAGGED, ())
    assert length_of(section).reason == "the reply has 50 words; chat is kept to 45"


@pytest.mark.parametrize(("channel", "sentences"), [("chat", 4), ("email", 9), ("web", 9), ("other", 9)])
def test_greeting_and_closing_count_for_nothing(channel: str, sentences: int) -> None:
    assert judged(sentences, channel=channel).verdict is Verdict.PASS
    assert length_of(judged(sentences + 1, channel=channel)).result is CheckResult.FAILED


def test_the_shops_own_length_and_signature_are_what_counts() -> None:
    voice = Voice(most_words={Channel.EMAIL: 20}, signature={"en": "Warmly and with all of our thanks,\nThe team"})
    assert judged(2, voice=voice).verdict is Verdict.PASS
    assert length_of(judged(3, voice=voice)).reason == "the reply has 30 words; e-mail is kept to 20"


def test_a_macro_has_the_length_it_was_approved_with_unless_more_is_added() -> None:
    said = {"text": SENTENCE, "citations": (), "facts": (), "spare": False, "courtesy": False, "paragraph": False}
    macro = ChosenMacro(identity="returns/all@1", sentences=(BoundSentence.model_validate(said),))
    opened = Sentence(text=OPEN, facts=("open.1",))
    assert length_of(judged(5, None, opened, channel="chat", macros=(macro,))).result is CheckResult.PASSED
    added = Sentence(text="The item must be unused.", citations=())
    assert length_of(judged(5, None, added, channel="chat", macros=(macro,))).reason.startswith(
        "the reply has 55 words"
    )


def policy(tmp_path: Path, severity: str) -> PolicyLedger:
    path = tmp_path / "policy.yaml"
    path.write_text(f'version: "1"\nclauses: []\nchecks:\n  severity: {{channel_length: {severity}}}\n')
    return load_policy(path)


def test_the_policy_file_makes_it_a_block_but_it_drops_no_sentence(tmp_path: Path) -> None:
    assert judged(5, policy(tmp_path, "block"), channel="chat").verdict is Verdict.BLOCKED
    assert judged(4, policy(tmp_path, "block"), channel="chat").verdict is Verdict.PASS
    with pytest.raises(SupportError, match=r"checks\.severity\.channel_length: it judges the whole draft"):
        ComplianceAgent(policy(tmp_path, "drop"))


def test_words_are_counted_as_a_reader_does() -> None:
    assert count_words("1. Open it – now") == 3

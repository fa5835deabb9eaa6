"""How a shop speaks: its signature, its words, its lengths – in prompts, closings and checks alike."""

from pathlib import Path

import pytest

from support_agents.agents.compliance import ComplianceAgent
from support_agents.agents.drafting import cite, rendered
from support_agents.composing.reply import compose
from support_agents.domain.errors import SupportError
from support_agents.domain.sections import CheckResult, ComplianceGiven, Sentence
from support_agents.domain.voice import Voice
from support_agents.policy.loading import load_policy
from support_agents.ports import Completed, StopReason
from support_agents.prompts.files import load_prompt
from support_agents.stages import Shares
from support_agents.wording.letters import closing_of, is_courtesy, signature_of
from tests.fixtures.drafting import RETURNS, a_run, drafting_given, passage
from tests.fixtures.pipeline import Parts, ran, ticket

PATIENT = Shares(understanding=15, retrieval=15, drafting=15)
SIGNED = Voice(signature={"en": "Warmly,\nThe Hearthwell team"})


def loaded(tmp_path: Path, voice: str) -> Voice:
    path = tmp_path / "policy.yaml"
    path.write_text(f'version: "1"\nclauses: []\nvoice:\n{voice}', encoding="utf-8")
    return load_policy(path).voice


def test_the_part_voice_of_the_policy_file_is_read(tmp_path: Path) -> None:
    voice = loaded(tmp_path, "  style: Short and warm.\n  never_say: [valued customer]\n  most_words: {chat: 30}\n")
    assert (voice.style, voice.never_say) == ("Short and warm.", ("valued customer",))
    assert (voice.words_for("chat"), voice.words_for("email")) == (30, 90)
    longer = loaded(tmp_path, "  most_words: {email: 110}\n")
    assert (longer.words_for("chat"), longer.words_for("email")) == (45, 110), "a chat stays short"


def test_a_fault_in_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="voice: most_words"):
        loaded(tmp_path, "  most_words: {pigeon: 30}\n")
    with pytest.raises(SupportError, match=r"voice: most_words\.chat: .*greater than"):
        loaded(tmp_path, "  most_words: {chat: 0}\n")


def test_the_prompt_tells_it() -> None:
    voice = Voice(style="Short and warm.", never_say=("valued customer",), signature=SIGNED.signature, first_words=9)
    given = drafting_given("Where is it?", "order_status", voice=voice, channel="chat")
    user = rendered(load_prompt("drafting"), given, a_run()).user
    for line in (
        "Voice: Short and warm.",
        "Never say: “valued customer”",
        "First sentence: at most 9 words",
        "Words: at most 45",
        "End with: Warmly, The Hearthwell team",
    ):
        assert line in user.splitlines()


def test_a_signature_closes_a_letter_and_counts_as_courtesy() -> None:
    given = drafting_given("Where is it?", "order_status", voice=SIGNED)
    assert [sentence.text for sentence in closing_of(given)] == ["Warmly,", "The Hearthwell team"]
    assert is_courtesy("The Hearthwell team", given)
    assert not is_courtesy("The Hearthwell team", drafting_given("Where is it?", "order_status"))
    assert signature_of(drafting_given("Wo?", "order_status", voice=SIGNED, language="de")).endswith(
        "Ihr Kundenservice"
    )


def test_a_cut_draft_gets_the_shops_signature(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text('version: "1"\nclauses: []\nvoice:\n  signature: {en: "Warmly,\\nThe team"}\n', encoding="utf-8")
    script = ("Hello Anna Müller,\n\n", "You can return an item within 30 days of delivery [1]. ")
    script += ("The item must be unused [1]. ", "After", Completed(StopReason.CUT))  # type: ignore[assignment]
    parts = Parts(script=script, replaced={"policy": load_policy(path), "shares": PATIENT})
    record = ran(parts, ticket("Can I return an item, and within how many days of delivery?"), seconds=60)
    assert record.sections.draft is not None
    assert record.sections.draft.text.endswith("\n\nWarmly,\nThe team")


def test_a_phrase_that_is_never_said_is_flagged_also_where_an_article_says_it() -> None:
    text = f"{RETURNS} Every valued customer may return it."
    drafting = drafting_given(
        "Can I?", "return_request", passages=(passage(text),), voice=Voice(never_say=("valued customer",))
    )
    given = ComplianceGiven(drafting=drafting, customer_email="anna@example.com", source_language="en")
    said = "Every valued customer may return it."
    verdict = ComplianceAgent().check(Sentence(text=said, citations=(cite(said, drafting, 1),)), 0, given)
    assert verdict.keep
    failed = {check.name: check.reason for check in verdict.checks if check.result is CheckResult.FAILED}
    assert failed["never_said"] == "“valued customer” is not how we speak"


async def test_a_quoted_draft_closes_with_it_too() -> None:
    given = drafting_given("Can I return it?", "return_request", passages=(passage(RETURNS),), voice=SIGNED)
    reply = await compose(given, None)
    assert reply.endswith("\n\nWarmly,\nThe Hearthwell team")

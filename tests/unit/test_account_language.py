"""Messages too short to tell their language: a run takes the conversation's, and else the account's."""

from functools import partial

import pytest

from support_agents.domain.runs import Outcome, RunRecord
from support_agents.screening.screening import screen
from support_agents.wording.handing_off import acknowledgement
from tests.fixtures.pipeline import ANNA, Parts, ran, ticket

ENGLISH = "Hello, I want to send the lamp back to you."


def german(text: str, *, subject: str = "", before: tuple[str, ...] = ()) -> RunRecord:
    """Run on the message of a customer of a German account."""
    parts = Parts(replaced={"screen": partial(screen, default_language="de")})
    return ran(parts, ticket(text, subject=subject, before=before))


@pytest.mark.parametrize("text", ["?", "ok 4711", "ok!?"])
def test_a_person_gets_a_letter_in_the_accounts_language(text: str) -> None:
    record = german(text)
    assert record.outcome in {Outcome.HANDED_OFF, Outcome.EVIDENCE}
    assert record.sections.screening is not None
    letter = acknowledgement(record.sections.screening.language, ANNA.name, {})
    assert letter.own == "German"


def test_the_customer_is_asked_back_in_the_accounts_language() -> None:
    record = german("refund?")
    assert record.outcome is Outcome.CLARIFY
    assert record.sections.draft is not None
    assert "Können Sie uns bitte Ihre Bestellnummer nennen?" in record.sections.draft.text


@pytest.mark.parametrize(
    ("subject", "before"), [("I have a question about my order", ()), ("", (ENGLISH,)), ("", (ENGLISH, "ok 4711"))]
)
def test_what_the_customer_said_before_goes_first(subject: str, before: tuple[str, ...]) -> None:
    record = german("refund?", subject=subject, before=before)
    assert record.sections.draft is not None
    assert record.sections.draft.text.startswith("Hi Anna")

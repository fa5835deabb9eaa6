"""Whoever a reply was approved for is who gets it: a recipient that changed afterwards stops it."""

import pytest

from tests.journeys.approval_safety.house import Case, House

pytestmark = pytest.mark.long
QUESTION = "How long may I send an item back?"
MALLORY = "mallory@evil.example"


def approved(house: House, *, zendesk: bool) -> Case:
    case = house.case(zendesk=zendesk)
    case.says(QUESTION)
    (reply,) = case.asked("send_reply")
    assert house.ben.decide(reply).is_success
    return case


@pytest.mark.parametrize("zendesk", [False, True], ids=["mail", "zendesk"])
def test_a_requester_who_changed_after_approval_gets_nothing(house: House, zendesk: bool) -> None:  # noqa: FBT001 - a case
    case = approved(house, zendesk=zendesk)
    case.says(kind="requester.changed", email=MALLORY)
    assert case.settled("send_reply") == "superseded"
    assert (case.effects, [each for each in house.mail.taken if MALLORY in each.recipients]) == (0, [])


def test_a_requester_who_changed_in_the_helpdesk_alone_gets_nothing(house: House) -> None:
    case = approved(house, zendesk=True)
    case.desk.requester_email = MALLORY  # no webhook tells us
    assert case.settled("send_reply") == "superseded"
    assert (case.comments, "another requester" in case.told) == ([], True)


def test_a_reader_copied_in_after_approval_gets_nothing(house: House) -> None:
    case = approved(house, zendesk=True)
    case.desk.email_cc_ids.append(4_242)  # no webhook tells us
    assert case.settled("send_reply") == "superseded"
    assert (case.comments, "copied in" in case.told) == ([], True)

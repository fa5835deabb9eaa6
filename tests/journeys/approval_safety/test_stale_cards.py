"""A card that no longer shows the state of things: it can neither be approved nor, once approved, be carried out."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.journeys.approval_safety.house import House

pytestmark = pytest.mark.long
BOTH = pytest.mark.parametrize("zendesk", [False, True], ids=["mail", "zendesk"])
QUESTION = "How long may I send an item back?"


@BOTH
@pytest.mark.parametrize("author", ["customer", "operator"])
def test_a_new_message_makes_the_card_undecidable(house: House, author: str, zendesk: bool) -> None:  # noqa: FBT001 - a case
    case = house.case(zendesk=zendesk)
    case.says()
    refund, reply = case.asked("issue_refund", "send_reply")
    case.says("One more thing", author=author)
    for request in (refund, reply):
        answer = house.ben.decide(request)
        assert answer.status_code == httpx.codes.CONFLICT
        assert any(code in answer.text for code in ("stale", "superseded"))
    assert (case.ends("issue_refund"), case.effects) == ([], 0)


@BOTH
def test_a_message_in_the_undo_window_stops_what_was_approved(house: House, zendesk: bool) -> None:  # noqa: FBT001 - a case
    case = house.case(zendesk=zendesk)
    case.says(QUESTION)
    (reply,) = case.asked("send_reply")
    assert house.ben.decide(reply).is_success
    case.says("I have found it myself, thank you")
    assert case.settled("send_reply") == "superseded"
    assert case.effects == 0


def test_a_colleague_who_answers_in_the_helpdesk_stops_what_was_approved(house: House) -> None:
    case = house.case(zendesk=True)
    case.says(QUESTION)
    (reply,) = case.asked("send_reply")
    assert house.ben.decide(reply).is_success
    case.desk.comment(777, "I have answered it")  # no webhook tells us
    assert case.settled("send_reply") == "superseded"
    assert (case.comments, "somebody has written" in case.told) == ([], True)


def test_one_approves_while_another_edits_and_only_what_was_approved_leaves(house: House) -> None:
    for _ in range(4):
        case = house.case()
        case.says(QUESTION)
        (reply,) = case.asked("send_reply")
        shown = house.shown(reply)
        text = "You may send an item back within 30 days."
        edits = f"/v1/approvals/{reply['id']}/edits"
        with ThreadPoolExecutor(2) as pool:
            editing = pool.submit(house.eva.post, edits, {"text": text, "digest": reply["digest"]})
            approving = pool.submit(house.ben.decide, reply)
            edited, approved = editing.result(), approving.result()
        assert sorted([edited.is_success, approved.is_success]) == [False, True]
        if approved.is_success:
            assert case.settled("send_reply") == "succeeded"
            (letter,) = case.letters
            assert text.encode() not in letter.content or text in shown["canonical"]
        else:
            assert (case.effects, house.shown(reply)["status"]) == (0, "superseded")
            assert house.shown({"id": edited.json()["request_id"]})["decisions"] == []

"""Two clicks where one was meant, two people where one was needed: one decision counts, and one effect follows."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.journeys.approval_safety.house import House

pytestmark = pytest.mark.long
RACES = 10


def test_a_double_click_is_one_decision_and_one_refund(house: House) -> None:
    case = house.case()
    case.says()
    (refund,) = case.asked("issue_refund")
    browsers = [house.ben, house.sign_in("ben")] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda browser: browser.decide(refund), browsers))
    assert sorted(answer.status_code for answer in answers) == [httpx.codes.CREATED] + [httpx.codes.CONFLICT] * 7
    assert case.settled("issue_refund") == "succeeded"
    assert case.refunds == [650]
    assert len(house.shown(refund)["decisions"]) == 1


def test_of_two_approvers_at_the_same_instant_one_decides_and_the_other_learns_who(house: House) -> None:
    cases = [house.case(minor=100) for _ in range(RACES)]
    for case in cases:
        case.says()
    with ThreadPoolExecutor(2) as pool:
        for case in cases:
            (refund,) = case.asked("issue_refund")
            answers = list(pool.map(lambda person, asked=refund: person.decide(asked), (house.ben, house.eva)))
            (winner,) = [answer for answer in answers if answer.status_code == httpx.codes.CREATED]
            (loser,) = [answer for answer in answers if answer is not winner]
            (decision,) = house.shown(refund)["decisions"]
            assert decision["by"] in loser.text
    assert [case.settled("issue_refund") for case in cases] == ["succeeded"] * RACES
    assert [case.refunds for case in cases] == [[100]] * RACES


def test_two_people_who_are_both_needed_may_click_at_the_same_instant(house: House) -> None:
    case = house.case(minor=20_000)
    case.says()
    (refund,) = case.asked("issue_refund")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda person: person.decide(refund), (house.tom, house.mia)))
    assert [answer.status_code for answer in answers] == [httpx.codes.CREATED] * 2
    assert case.settled("issue_refund") == "succeeded"
    assert case.refunds == [20_000]


def test_approving_one_of_two_cards_lets_that_one_go_only(house: House) -> None:
    case = house.case()
    case.says()
    refund, reply = case.asked("issue_refund", "send_reply")
    assert house.ben.decide(refund).is_success
    assert case.settled("issue_refund") == "succeeded"
    assert (case.refunds, case.letters) == ([650], [])
    assert house.shown(reply)["status"] == "pending"
    assert house.ben.decide(reply).is_success
    assert case.settled("send_reply") == "succeeded"
    assert (case.refunds, len(case.letters)) == ([650], 1)

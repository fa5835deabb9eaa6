"""Money: never more than was paid, no limit passed in pieces, no reply that states what did not happen."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.journeys.approval_safety.house import House

pytestmark = pytest.mark.long


def test_an_order_refunded_elsewhere_after_approval_is_not_refunded_again(house: House) -> None:
    case = house.case()
    case.says()
    (refund,) = case.asked("issue_refund")
    assert house.ben.decide(refund).is_success
    house.tell(case, refunded=650)
    assert case.settled("issue_refund") == "superseded"
    assert (case.refunds, "the order has changed" in case.told) == ([], True)


def test_two_tickets_about_one_order_get_its_money_once(house: House) -> None:
    first = house.case()
    second = house.case(order=first.order, email=first.email)
    for case in (first, second):
        case.says()
    asked = [case.asked("issue_refund")[0] for case in (first, second)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: each[0].decide(each[1]), zip((house.ben, house.eva), asked, strict=True)))
    assert any(answer.is_success for answer in answers)
    ends = [
        case.settled("issue_refund") for case, answer in zip((first, second), answers, strict=True) if answer.is_success
    ]
    assert ends.count("succeeded") == 1
    assert first.refunds == [650]


def test_a_limit_is_not_passed_in_pieces(house: House) -> None:
    cases = [house.case(minor=10_000) for _ in range(6)]
    for case in cases:
        case.says()
    person = house.sign_in("eva")
    answers = [person.decide(case.asked("issue_refund")[0]) for case in cases]
    # Eva's day is worth 50,000 cents, and other tests have spent a little of it.
    assert [answer.is_success for answer in answers[:4]] == [True] * 4
    assert answers[-1].status_code == httpx.codes.FORBIDDEN
    assert "in one day" in answers[-1].text
    for case, answer in zip(cases, answers, strict=True):
        if answer.is_success:
            assert case.settled("issue_refund") == "succeeded"
    assert sum(sum(case.refunds) for case in cases) <= 50_000


def test_an_amount_above_a_persons_limit_waits_for_a_manager(house: House) -> None:
    case = house.case(minor=15_000)
    case.says()
    (refund,) = case.asked("issue_refund")
    assert house.ben.decide(refund).json()["missing"] == "a manager"
    assert house.tom.decide(refund).json()["missing"] == "a manager"
    assert (case.ends("issue_refund"), case.refunds) == ([], [])


@pytest.mark.parametrize("email", ["kim@shop.example", "Kim+private@Shop.example"])
def test_nobody_approves_their_own_refund(house: House, email: str) -> None:
    case = house.case(email=email)
    case.says()
    for request in case.asked("issue_refund", "send_reply"):
        answer = house.kim.decide(request)
        assert (answer.status_code, "own address" in answer.text) == (httpx.codes.FORBIDDEN, True)
    assert case.effects == 0


def test_a_reply_that_states_a_refund_which_is_taken_back_never_leaves(house: House) -> None:
    case = house.case()
    case.says()
    refund, reply = case.asked("issue_refund", "send_reply")
    decided = house.ben.decide(refund).raise_for_status().json()
    assert house.ben.decide(reply).json()["missing"] == "the action it waits for"
    assert house.ben.post(f"/v1/executions/{decided['execution_id']}/cancel").is_success
    assert case.settled("issue_refund") == "cancelled"
    assert house.shown(reply)["status"] == "superseded"
    assert (case.effects, "taken back" in case.told) == (0, True)

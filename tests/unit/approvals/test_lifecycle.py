from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.lifecycle import (
    EXECUTIONS,
    REQUESTS,
    ExecutionTrigger,
    IllegalTransition,
    RequestTrigger,
    execution_after,
    request_after,
)
from support_agents.domain.approval import ExecutionStatus as E
from support_agents.domain.approval import RequestStatus as R

FINAL = {E.FAILED, E.CANCELLED, E.SUPERSEDED}
ALLOWED_REQUESTS = {
    R.PENDING: {R.PENDING, R.APPROVED, R.REJECTED, R.EXPIRED, R.SUPERSEDED},
    R.APPROVED: {R.SUPERSEDED},
}
ALLOWED_EXECUTIONS = {
    E.SCHEDULED: {E.EXECUTING, E.CANCELLED, E.SUPERSEDED, E.IN_DOUBT},
    E.EXECUTING: {E.SUCCEEDED, E.FAILED, E.IN_DOUBT, E.SUPERSEDED},
    E.IN_DOUBT: {E.SUCCEEDED, E.SCHEDULED, E.FAILED},
    E.SUCCEEDED: {E.FAILED},
}


@pytest.mark.parametrize(("status", "trigger"), list(product(R, RequestTrigger)))
def test_every_pair_of_a_request_is_in_the_table_or_illegal(status: R, trigger: RequestTrigger) -> None:
    if (status, trigger) in REQUESTS:
        assert request_after(status, trigger) in ALLOWED_REQUESTS[status]
    else:
        with pytest.raises(IllegalTransition):
            request_after(status, trigger)


@pytest.mark.parametrize(("status", "trigger"), list(product(E, ExecutionTrigger)))
def test_every_pair_of_an_execution_is_in_the_table_or_illegal(status: E, trigger: ExecutionTrigger) -> None:
    if (status, trigger) in EXECUTIONS:
        assert execution_after(status, trigger) in ALLOWED_EXECUTIONS[status]
    else:
        with pytest.raises(IllegalTransition):
            execution_after(status, trigger)


def test_the_tables_allow_all_that_the_design_allows() -> None:
    for allowed, table in ((ALLOWED_REQUESTS, REQUESTS), (ALLOWED_EXECUTIONS, EXECUTIONS)):
        reached = {(status, to) for (status, _), to in table.items()}
        assert reached == {(status, to) for status, targets in allowed.items() for to in targets}


@given(st.lists(st.sampled_from(ExecutionTrigger)))
def test_no_path_leaves_an_end_or_starts_without_being_scheduled(triggers: list[ExecutionTrigger]) -> None:
    status = E.SCHEDULED
    for trigger in triggers:
        before = status
        try:
            status = execution_after(status, trigger)
        except IllegalTransition:
            continue
        assert before not in FINAL
        assert (status is E.EXECUTING) <= (before is E.SCHEDULED)


@given(st.lists(st.sampled_from(RequestTrigger)))
def test_a_request_is_approved_at_most_once(triggers: list[RequestTrigger]) -> None:
    status, approved = R.PENDING, 0
    for trigger in triggers:
        try:
            after = request_after(status, trigger)
        except IllegalTransition:
            continue
        approved += after is R.APPROVED
        status = after
    assert approved <= 1

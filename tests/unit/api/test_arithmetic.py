"""No thread of the arithmetic library waits by spinning beside the runs."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from api.arithmetic import in_one_thread


def test_matrices_are_multiplied_by_the_thread_that_asks() -> None:
    with threadpool_limits(limits=2, user_api="blas"):  # puts back what was, for the tests that follow
        in_one_thread()
        assert np.ones((2, 2)).dot(np.ones(2)).tolist() == [2.0, 2.0]
        pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        assert pools
        assert set(pools) == {1}

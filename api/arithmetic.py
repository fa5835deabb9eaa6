"""Keeps arithmetic in the thread that asks for it: the library's own threads wait by spinning; it computes nothing."""

from threadpoolctl import threadpool_limits


def in_one_thread() -> None:
    """Have matrices multiplied by the calling thread alone, in this process, from now on.

    Ours are small: a second thread gains nothing on them, and it spun for some 20 ms after each, which was a seventh of
    all processor time of a run on a machine of two cores.
    """
    threadpool_limits(limits=1, user_api="blas")

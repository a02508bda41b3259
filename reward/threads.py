"""How many threads a computation is worth: small ones run on one, since threads that wait for each other cost more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

WORTH_THREADS: Final = 100_000_000  # multiplications in one go


@contextmanager
def threads_for(multiplications: int) -> Iterator[None]:
    """One thread for torch and the BLAS libraries within, if the work in one go is below `WORTH_THREADS`."""
    if multiplications >= WORTH_THREADS:
        yield
        return
    from threadpoolctl import threadpool_limits

    torch.get_num_threads()  # torch sets this thread's number at its first use, which must not come later
    # Not torch.set_num_threads: it fixes the number of MKL's threads too, for the whole process and for good, and
    # threads that are to have one each would then have more.
    with threadpool_limits(1):
        yield


def one_thread_each() -> None:
    """For threads of a pool, called in each: small torch operations there don't ask for a team of threads of their own.

    OpenMP keeps that number for each thread, so that the encoder's own stays what it is.
    """
    from threadpoolctl import threadpool_limits

    torch.get_num_threads()  # torch sets this thread's number at its first use, which must not come later
    threadpool_limits(1, user_api="openmp")

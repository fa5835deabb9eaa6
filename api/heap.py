"""Keeps the garbage collector off what a process needs to be ready, and gives back what nothing needs any more."""

import ctypes
import gc

# How often what is unused is given back: it takes some ten milliseconds of one thread.
GIVING_BACK_SECONDS = 300.0
# What a run makes is small and mostly gone when it ends: looked at seven times as rarely, it costs a third.
_YOUNG_OBJECTS = 5_000


def settle() -> None:
    """Set apart all that lives now, once a process is ready; half a million objects stopped the event loop for 0.3 s.

    A full collection looks at every object that is not set apart. Those that hold no reference any more still go at
    once; only a cycle among what is set apart now would stay.
    """
    gc.collect()
    gc.freeze()
    # Again, of nothing: the next full one waits until a quarter as many have come as the last one left behind.
    gc.collect()
    gc.set_threshold(_YOUNG_OBJECTS)


def unsettle() -> None:
    """Have everything looked at again, for a process that closes one installation and opens another."""
    gc.unfreeze()


def give_back() -> None:
    """Return to the system what the allocator keeps between what is in use; nothing where the C library cannot.

    Without it resident memory rises for hours though what is in use does not: a few kilobytes a run stay in gaps.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

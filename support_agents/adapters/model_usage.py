"""Use of tokens as a provider tells it, in figures that one call can have; it prices nothing."""

from support_agents.ports import Completed, StopReason

# More than any model reads or writes in one call; what is beyond counts as not told.
_MOST = 100_000_000


def completed(
    stop: StopReason, *, read: object, written: object, cached: object = None, to_cache: object = None
) -> Completed:
    """Return the end of a stream; `cached` and `to_cache` are parts of what was `read`.

    What is not told, is no number of tokens, or is more than the whole that it is a part of, counts as 0: a limit on
    spending goes by these figures, and a record holds them.
    """
    whole = tokens(read)
    of_cache = _part(cached, whole)
    return Completed(
        stop,
        tokens_in=whole,
        tokens_out=tokens(written),
        tokens_cached=of_cache,
        tokens_to_cache=_part(to_cache, whole - of_cache),
    )


def tokens(told: object) -> int:
    """Return a number of tokens, 0 where none can be meant."""
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= _MOST else 0


def _part(told: object, whole: int) -> int:
    number = tokens(told)
    return number if number <= whole else 0

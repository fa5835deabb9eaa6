"""How long runs lately needed from the end of drafting to the card, and so what must be kept back; it stops nothing."""

import math
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from support_agents.domain.ids import RunId

_REMEMBERED, _ENOUGH = 100, 20
_SHARE = 0.99
# What happened once in a hundred runs may be twice as long next time; nothing that was seen lately makes less than half
# of the usual safe, and a machine that needs three times as long has to draft in less.
_MARGIN, _LEAST, _MOST = 2.0, 0.5, 3.0
_MOST_RUNS = 1_000


@dataclass
class Closing:
    """Learns from every run whose card was committed: late timers, checks, the writer's queue, the disk, all in one."""

    _since: OrderedDict[RunId, float] = field(default_factory=OrderedDict)
    _took: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def kept_back(self, usual: float) -> float:
        """Seconds of a run's deadline that drafting may not use: `usual` until enough runs have ended."""
        if len(self._took) < _ENOUGH:
            return usual
        slowest = sorted(self._took)[math.ceil(_SHARE * len(self._took)) - 1]
        return min(max(_MARGIN * slowest, _LEAST * usual), _MOST * usual)

    def began(self, run: RunId, at: float) -> None:
        """Note the instant at which drafting ended or, if that was earlier, had to end."""
        self._since[run] = at
        if len(self._since) > _MOST_RUNS:
            self._since.popitem(last=False)

    def ended(self, run: RunId, at: float) -> None:
        """Note the instant at which a run's card was committed; a run that did not draft teaches nothing."""
        since = self._since.pop(run, None)
        if since is not None:
            self._took.append(max(0.0, at - since))

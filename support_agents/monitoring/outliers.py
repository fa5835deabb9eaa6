"""Marks runs that are unlike those before them and says in which way; it waits for nothing and stops nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from support_agents.domain.runs import OutlierMark, Sections
from support_agents.domain.ticket import TicketSnapshot
from support_agents.monitoring.features import VERSION, WORDS, Features, features_of
from support_agents.ports import OutlierDetector, OutlierJudge

Rows = NDArray[np.float64]
# Fewer than these tell nothing of what is usual.
LEAST_RUNS = 200
# So many spreads from the median is far; a number that hardly ever changes has at least this spread.
_FAR, _LEAST_SPREAD = 3.5, 0.1
_MAD_TO_SPREAD = 1.4826
_MOST_NAMED = 3


@dataclass(frozen=True)
class Usual:
    """What is usual, number by number: the median and a spread that a few outliers do not move."""

    median: Rows
    spread: Rows

    @classmethod
    def of(cls, rows: Rows) -> "Usual":
        """From many runs, one a row."""
        median = np.median(rows, axis=0)
        deviation = np.median(np.abs(rows - median), axis=0) * _MAD_TO_SPREAD
        return cls(median, np.maximum(deviation, _LEAST_SPREAD))

    def scaled(self, rows: Rows) -> Rows:
        """Every number in spreads from its median."""
        scaled: Rows = (rows - self.median) / self.spread
        return scaled

    def why(self, features: Features) -> tuple[str, ...]:
        """In which ways a run is far from it, in words, the furthest first."""
        away = self.scaled(np.asarray(features))
        furthest = sorted(range(len(away)), key=lambda at: -abs(away[at]))[:_MOST_NAMED]
        return tuple(WORDS[Features._fields[at]][int(away[at] < 0)] for at in furthest if abs(away[at]) >= _FAR)


@dataclass(frozen=True)
class _Learnt:
    usual: Usual
    judge: OutlierJudge


@dataclass
class Outliers:
    """Until enough runs are known, and where they ended early, runs bear their numbers and no judgement."""

    detector: OutlierDetector
    _learnt: _Learnt | None = field(default=None, init=False)

    def mark(self, ticket: TicketSnapshot, sections: Sections) -> OutlierMark | None:
        """The mark of a run: at once, from what has been learnt."""
        features = features_of(ticket, sections)
        if features is None:
            return None
        learnt = self._learnt
        if learnt is None:
            return OutlierMark(features=features, version=VERSION)
        score = learnt.judge.score(learnt.usual.scaled(np.asarray(features)))
        limit = learnt.judge.limit
        why = learnt.usual.why(features) if score > limit else ()
        return OutlierMark(features=features, version=VERSION, score=score, limit=limit, why=why)

    async def learn(self, marks: Sequence[OutlierMark]) -> bool:
        """Learn what is usual from earlier runs; False when they are too few."""
        rows = [mark.features for mark in marks if mark.version == VERSION]
        if len(rows) < LEAST_RUNS:
            return False
        usual = Usual.of(np.asarray(rows))
        self._learnt = _Learnt(usual, await self.detector.learn(usual.scaled(np.asarray(rows))))
        return True

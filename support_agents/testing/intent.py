"""An intent model that goes by words a test gives it; it learns nothing and looks at no vector."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.ports import Vector


@dataclass(frozen=True)
class KeywordIntentModel:
    """`IntentModel`: the first intent of which a keyword is in the text gets `sure`, the others share the rest."""

    keywords: Mapping[str, tuple[str, ...]]
    sure: float = 0.9
    threshold: float = 0.5
    version: str = "keywords"
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(dict.fromkeys((*self.keywords, UNKNOWN))))

    def rank(self, text: str, vector: Vector) -> tuple[IntentScore, ...]:
        """Return all classes, best first; `unknown` is best where no keyword is found."""
        del vector
        lower = text.casefold()
        best = next((name for name, words in self.keywords.items() if any(word in lower for word in words)), UNKNOWN)
        others = [name for name in self.names if name != best]
        share = (1 - self.sure) / len(others) if others else 0.0
        first = IntentScore(name=best, probability=self.sure if others else 1.0)
        return (first, *(IntentScore(name=name, probability=share) for name in others))

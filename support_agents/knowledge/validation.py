"""How surely a passage answers a message, and what is too unsure to be evidence; it finds and ranks nothing."""

import math
from collections.abc import Sequence

from support_agents.domain.knowledge import RetrievedPassage
from support_agents.screening.terms import terms

# A short message is worded like what answers it, a long one tells more than any passage says: what counts as near
# depends on how much is asked. Fitted by `tests/evals/fit_validation.py`, which also says what did not help.
PER_SIMILARITY, PER_LOG_TERMS, CONSTANT = 13.93, 2.43, -13.82
# Messages of fewer or more terms were too few to fit on; they count as these.
FEWEST_TERMS, MOST_TERMS = 3, 15
# At least 99 of 100 right passages stay, in each of the sets; of the wrong ones, one in six goes.
THRESHOLD = 0.032
# Passages in languages that the embedder knows less well lie lower for no fault of theirs.
_JUDGED = "en"


def addressing(query: str, similarity: float) -> float:
    """Return how likely (0..1) a passage of this similarity answers `query`."""
    return _likely(similarity, _said(query))


def judged(query: str, found: Sequence[RetrievedPassage]) -> list[RetrievedPassage]:
    """Return the passages with how likely each answers `query`; those in other languages than English as they are."""
    said = _said(query)
    return [
        one.model_copy(update={"addresses": round(_likely(one.similarity, said), 4)})
        if one.passage.language == _JUDGED
        else one
        for one in found
    ]


def _said(query: str) -> int:
    """Return of how many terms a message counts."""
    return min(max(len(set(terms(query))), FEWEST_TERMS), MOST_TERMS)


def _likely(similarity: float, said: int) -> float:
    return 1 / (1 + math.exp(-(PER_SIMILARITY * similarity + PER_LOG_TERMS * math.log1p(said) + CONSTANT)))


def is_evidence(found: RetrievedPassage) -> bool:
    """Whether a draft may rest on it, as far as this was judged."""
    return found.addresses is None or found.addresses >= THRESHOLD

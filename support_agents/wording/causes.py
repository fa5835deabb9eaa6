"""What a text tells to have happened (missing, damaged, wrong, late …), by the phrases of `causes.yaml`; no remedy."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

import yaml

from support_agents.wording.gapped import Gapped, plain_words

_MOST_BETWEEN = 5
# Said shortly before, they take it back: `it is not damaged`.
_NOTS = frozenset(
    {
        *("not", "no", "never", "isn't", "wasn't", "aren't", "weren't", "hasn't", "without"),
        *("nicht", "kein", "keine", "nie", "ohne", "sin", "ni", "nunca", "pas", "sans", "aucun"),
    }
)


@lru_cache(maxsize=256)
def causes_in(text: str) -> frozenset[str]:
    """Return the causes that `text`, in any of our languages, names."""
    plain = plain_words(text)
    return frozenset(cause for cause, phrases in _causes().items() if phrases.found_in(plain, _NOTS))


@cache
def _causes() -> Mapping[str, Gapped]:
    lists: dict[str, str] = yaml.load(
        files(__package__ or "").joinpath("causes.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return {cause: Gapped.of(listed.split("|"), gap=_MOST_BETWEEN) for cause, listed in lists.items()}

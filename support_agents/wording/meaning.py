"""What a message is about where its words tell more than its intent; rules that only make an answer more careful."""

from support_agents.wording.cues import Cue, find_cue

_DAMAGE, _WARRANTY = "damaged_item", "warranty"
_GIVING_BACK = frozenset({"refund_request", "return_request", "exchange_request"})


def meant(intent: str, text: str) -> str:
    """Return the intent to answer: a faulty item is no change of mind, and what broke in use no damage on delivery."""
    faulty = intent == _DAMAGE or (intent in _GIVING_BACK and find_cue(Cue.DEFECT, text) is not None)
    if not faulty:
        return intent
    return _WARRANTY if find_cue(Cue.AGED, text) is not None else _DAMAGE

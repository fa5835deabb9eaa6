"""What is known of a stored intent head: what it was made from, how to read it, how good it was when measured."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

MANIFEST_NAME = "manifest.json"
HEAD_NAME = "head.npz"
FORMAT = 1


class Weights(BaseModel):
    """How much each kind of feature counts beside the others, as trained."""

    model_config = ConfigDict(frozen=True)

    embedding: float
    ngrams: float
    concepts: float


class Metrics(BaseModel):
    """Out-of-fold figures of five-fold cross-validation over groups of paraphrases.

    Every example counts twice, plain and inside of greetings, context and closings; `unknown` ones are included.
    """

    model_config = ConfigDict(frozen=True)

    accuracy: float = Field(description="share of all examples given their class or, rightly, `unknown`")
    macro_f1: float = Field(description="mean F1 over all classes, `unknown` among them")
    known_accuracy: float = Field(description="share of known examples given their class")
    known_refused: float = Field(description="share of known examples called `unknown`")
    known_precision: float = Field(description="share of right answers among those not called `unknown`")
    unknown_recall: float = Field(description="share of `unknown` examples called `unknown`")
    ece: float = Field(description="expected calibration error of the top probability, ten bins")


class Manifest(BaseModel):
    """Everything beside the numbers of `head.npz`; the head is refused where any of it does not fit."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    created: date
    examples: int
    data_sha256: str = Field(description="of the examples file")
    concepts_sha256: str = Field(description="of the concepts file")
    head_sha256: str = Field(description="of head.npz")
    embedder: str = Field(description="version of the embedder that it was trained with")
    dimensions: int
    ngram_columns: int
    concept_columns: int
    classes: tuple[str, ...]
    weights: Weights
    temperature: float = Field(gt=0)
    threshold: float = Field(ge=0, le=1)
    metrics: Metrics

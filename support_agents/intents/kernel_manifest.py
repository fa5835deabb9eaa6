"""What is known of a trained kernel head: what from, how to read it, how good it was; never the numbers."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

FORMAT = 2
SIGNS_WEIGHED = {1: 6, 2: 7}  # how many of the signs of `doubt.py` by format: an older program refuses a newer head


class Recipe(BaseModel):
    """What is fixed before anything is seen: how like two messages are, and how much a fit may bend to each.

    Two messages are alike by `exp(sharpness * (cosine - 1)) + words * cosine of their n-grams`; to the score that this
    gives a class, `prototypes` times the cosine with the mean of its examples is added. Of both cosines `moved` is the
    share that is taken of vectors which were moved by what `metric.py` learnt.
    """

    model_config = ConfigDict(frozen=True)

    sharpness: float = Field(gt=0)
    words: float = Field(ge=0)
    penalty: float = Field(gt=0)
    ngram_columns: int = Field(gt=0)
    prototypes: float = Field(default=0.0, ge=0)
    moved: float = Field(default=0.0, ge=0, le=1)


class Scope(BaseModel):
    """A logistic scale over the signs of `doubt.py`: how sure it is that a message belongs to any intent."""

    model_config = ConfigDict(frozen=True)

    weights: tuple[float, ...]
    bias: float


class Reliability(BaseModel):
    """One bin of confidence: how many messages, how sure the model was, how often it was right."""

    model_config = ConfigDict(frozen=True)

    messages: int
    confidence: float
    accuracy: float


class KernelMetrics(BaseModel):
    """Figures of the messages that were held out of training: those of `--valid`, else of the rehearsals."""

    model_config = ConfigDict(frozen=True)

    held_out: int
    accuracy: float = Field(description="share given their intent before anything is refused")
    accuracy_kept: float = Field(description="share given their intent and not refused")
    refused: float = Field(description="share called `unknown`")
    ece: float = Field(description="expected calibration error of the top probability, ten bins")
    reliability: tuple[Reliability, ...]


class KernelManifest(BaseModel):
    """Everything beside the numbers of `head.npz`; the head is refused where any of it does not fit."""

    model_config = ConfigDict(frozen=True)

    kind: str = "kernel"
    format: int = FORMAT
    name: str
    created: datetime
    examples: int
    data_sha256: str
    valid_sha256: str | None = None
    head_sha256: str
    embedder: str
    dimensions: int
    classes: tuple[str, ...]
    recipe: Recipe
    temperature: float = Field(gt=0)
    scope: Scope
    threshold: float = Field(ge=0, le=1)
    metrics: KernelMetrics
    train_seconds: float

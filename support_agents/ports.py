"""Roles that the outside plays for the pipeline; adapters and fakes implement them, agents see only these."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.errors import Failed, Ok
from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.intent import IntentScore
from support_agents.domain.knowledge import Article, Passage, RetrievedPassage
from support_agents.domain.orders import NotTheirs, OrderFacts, UnknownOrder
from support_agents.domain.runs import Run
from support_agents.domain.sections import DraftingGiven
from support_agents.domain.ticket import Requester

Vector = NDArray[np.float32]


class Clock(Protocol):
    """Time of day and a monotonic second count."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...


class Embedder(Protocol):
    """Text to unit vectors."""

    @property
    def version(self) -> str:
        """Identifies model and pooling; vectors of different versions never mix."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vector:
        """Return float32 of shape (len(texts), dimensions), each row of length 1; off the event loop."""
        ...


class OutlierJudge(Protocol):
    """What was learnt of many runs in numbers."""

    @property
    def limit(self) -> float:
        """Above it a run is an outlier."""
        ...

    def score(self, row: NDArray[np.float64]) -> float:
        """How far a run lies from those that were learnt; at once."""
        ...


class OutlierDetector(Protocol):
    """Learns what is usual."""

    async def learn(self, rows: NDArray[np.float64]) -> OutlierJudge:
        """Learn from one row a run, every number in the same scale; off the event loop."""
        ...


class PageSource(Protocol):
    """Pages of the web by their address, within limits."""

    async def fetch(self, url: str) -> Ok[bytes] | Failed:
        """Return a page's bytes, or why they cannot be had."""
        ...


class VectorStore(Protocol):
    """Hybrid search over passages; it holds ids and vectors, SQL holds the passages."""

    @property
    def version(self) -> str:
        """Identifies the state of the index for the record."""
        ...

    async def upsert(self, passages: Sequence[Passage], vectors: Vector) -> None:
        """Insert or replace; `vectors[i]` belongs to `passages[i]`."""
        ...

    async def delete(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> None:
        """Forget these passages; unknown ids are ignored."""
        ...

    async def search(
        self, workspace: WorkspaceId, query: str, vector: Vector, *, limit: int
    ) -> tuple[RetrievedPassage, ...]:
        """Dense and BM25, fused, best first. `vector` has shape (dimensions,)."""
        ...

    async def compare(
        self, workspace: WorkspaceId, vector: Vector, ids: Sequence[PassageId]
    ) -> Mapping[PassageId, float]:
        """Return the cosine of `vector` to each of these passages; unknown ids are left out."""
        ...

    async def ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """List what searches see; ids change with content, so what differs from SQL is what is to be done."""
        ...

    async def begin(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Build anew beside what is searched, where the store can; return what it holds of that already."""
        ...

    async def publish(self, workspace: WorkspaceId) -> None:
        """Have searches see what was built since `begin`; without one, nothing is to be done."""
        ...


@dataclass(frozen=True)
class ChunkedArticle:
    """An article with its passages, stored together in one transaction."""

    article: Article
    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class StoredState:
    """How many passages are stored, and a name of this state of all articles; no writing leads back to an earlier."""

    passages: int
    version: str


class PassageStore(Protocol):
    """Where articles and passages are kept; the index is derived from it and may be thrown away.

    Each writing call is one transaction that also adds one KNOWLEDGE_CHANGED event whose subject is the workspace's id.
    """

    async def article_hashes(self, workspace: WorkspaceId) -> Mapping[str, str]:
        """Content hash of every stored article by article id."""
        ...

    async def replace_articles(self, workspace: WorkspaceId, articles: Sequence[ChunkedArticle]) -> None:
        """Insert these articles or replace them with all their passages."""
        ...

    async def delete_articles(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> None:
        """Delete these articles and their passages; unknown ids are ignored."""
        ...

    async def passage_ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Ids of all stored passages."""
        ...

    async def state(self, workspace: WorkspaceId) -> StoredState:
        """Return the present state, in a fraction of what all ids cost."""
        ...

    async def passages(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> tuple[Passage, ...]:
        """Return these passages in any order, leaving out unknown ids; asked for at most 200 at a time."""
        ...

    async def passages_of(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> tuple[Passage, ...]:
        """Return all passages of these articles, leaving out unknown ids."""
        ...


class IntentModel(Protocol):
    """A text and its embedding to calibrated class probabilities."""

    @property
    def version(self) -> str:
        """Name and data hash of the model."""
        ...

    @property
    def threshold(self) -> float:
        """Top probability below which the intent is `unknown`."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Every intent that it can name, `unknown` among them."""
        ...

    def rank(self, text: str, vector: Vector) -> tuple[IntentScore, ...]:
        """All classes, best first; `vector` has shape (dimensions,)."""
        ...


class Entailment(Protocol):
    """Whether a text follows from another, by a model; an installation may have none."""

    @property
    def version(self) -> str:
        """Name and data hash of the model."""
        ...

    def unsupported(self, source: str, claim: str) -> float:
        """Return how sure it is (0..1) that `claim` does not follow from `source`; tens of milliseconds."""
        ...


class OrderLookup(Protocol):
    """The order system. It alone says whose an order is."""

    async def find(self, order_id: str, requester: Requester) -> Ok[OrderFacts] | NotTheirs | UnknownOrder | Failed:
        """Facts only when the order belongs to this authenticated requester; otherwise never any fact."""
        ...

    async def list_theirs(self, requester: Requester) -> Ok[tuple[OrderFacts, ...]] | Failed:
        """All orders of an authenticated requester, newest first; none for an unauthenticated one."""
        ...


class StopReason(StrEnum):
    """Why a model stopped; anything but COMPLETE is treated as an unfinished text."""

    COMPLETE = "complete"
    MAX_TOKENS = "max_tokens"
    REFUSED = "refused"
    CUT = "cut"


class Prompt(BaseModel):
    """One call: rendered texts for a model, and the same facts typed for one that needs no prose."""

    model_config = ConfigDict(frozen=True)

    agent: str
    version: str = Field(description="name and version of the prompt file")
    system: str
    user: str
    max_tokens: int
    temperature: float = 0.2
    given: DraftingGiven | None = None
    answer_schema: Mapping[str, Any] | None = Field(
        default=None, description="JSON schema of the answer; None: prose. A server that knows none is asked without"
    )
    route: str = Field(default="", description="why this model was picked, for the record")


@dataclass(frozen=True)
class TextDelta:
    """A piece of text as it arrives; where several models could speak, the first piece says which one does."""

    text: str
    by: str = ""


@dataclass(frozen=True)
class Completed:
    """The end of a stream with its use of tokens; always the last item.

    `tokens_in` counts all that was read, `tokens_cached` of it from the provider's cache and `tokens_to_cache` of it
    that was put there.
    """

    stop: StopReason
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_to_cache: int = 0


@runtime_checkable
class LanguageModel(Protocol):
    """Streams text. Errors before or during the stream are `SupportError`s with a stable code."""

    @property
    def name(self) -> str:
        """Provider and model, as recorded."""
        ...

    def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield deltas, then exactly one `Completed`; closing the iterator cancels the call."""
        ...

"""What articles are searched with: the index, the embedder of both sides, what whole articles are about; no more."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from api.engines import Index, index_of, search_embedder
from api.settings import Settings
from support_agents.knowledge.ahead import AheadEmbedder, LeadingEmbedder
from support_agents.knowledge.known_vectors import KnownVectors
from support_agents.knowledge.scaled_index import ScaledStore
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.ports import Embedder, PassageStore, VectorStore

Step = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Searching:
    """`questions` embeds what is asked and `passages` what is indexed; `apart` is the former where it is another model.

    `message` embeds a message for all that is learnt, and has `apart` begin with it.
    """

    store: VectorStore
    questions: Embedder
    passages: Embedder
    topics: TopicShelf
    message: Embedder
    apart: Embedder | None
    closing: tuple[Step, ...]


@dataclass(frozen=True)
class BuiltIn:
    """The embedder of messages as it is, with a memory, and in the form for indexing."""

    plain: Embedder
    remembering: Embedder
    indexing: Embedder


def searching_of(settings: Settings, built_in: BuiltIn, passages: PassageStore, *, room: int) -> Searching:
    """Open the index of the settings' embedder; one of another embedder is made anew, and the two are never mixed."""
    other = search_embedder(settings)
    if other is None:
        indexing = knowing(settings, built_in.indexing)
        opened = index_of(settings, built_in.plain)
        topics = TopicShelf(passages, opened.store, _titles(indexing, opened))
        return Searching(opened.store, built_in.plain, indexing, topics, built_in.remembering, None, (opened.close,))
    opened = index_of(settings, other.passages)
    scaled = ScaledStore(opened.store, passages, other.background)
    topics = TopicShelf(passages, scaled, _titles(other.passages, opened), scaled.scale)
    ahead = AheadEmbedder(other.queries, room)
    closing = (opened.close, partial(asyncio.to_thread, other.close))
    return Searching(
        scaled, ahead, other.passages, topics, LeadingEmbedder(built_in.remembering, ahead), ahead, closing
    )


def knowing(settings: Settings, embedder: Embedder) -> Embedder:
    """Return the embedder with the vectors that were made ahead, if there are any."""
    return KnownVectors.load(settings.known_vectors, embedder) if settings.known_vectors else embedder


def _titles(embedder: Embedder, opened: Index) -> TitleVectors:
    return TitleVectors(embedder, opened.folder.with_name("titles.npz"))

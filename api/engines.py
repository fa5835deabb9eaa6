"""Single parts of an installation by its settings, for commands that need one and for the root; it wires nothing."""

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from api.choices import PiiRecogniser, Privilege
from api.indexes import in_own_folder
from api.no_orders import NoOrders
from api.secret_key import make_data_dir, secret_key
from api.settings import Settings
from api.worker.attachment_reading import LARGEST_BYTES, AttachmentReader
from support_agents.domain.errors import SupportError
from support_agents.evals.retrieval import Tools
from support_agents.intents.model import IntentHead
from support_agents.intents.registry import Registry
from support_agents.ports import (
    Clock,
    Embedder,
    Entailment,
    IntentModel,
    OrderLookup,
    OutlierDetector,
    PageSource,
    VectorStore,
)
from support_agents.screening.detection import Detector
from support_agents.screening.pii import RULES
from support_agents.screening.spans import PiiFinder

# Longest that a customer's file may take to come.
_FILE_SECONDS = 5.0


@contextmanager
def embedding(settings: Settings) -> Iterator[Embedder]:
    """Give out the embedder alone, for commands that need nothing else; refused when its files are not as measured."""
    from support_agents.adapters.onnx import OnnxEmbedder

    embedder = OnnxEmbedder(threads=settings.onnx_threads)
    try:
        yield embedder
    finally:
        embedder.close()


def page_source(private: frozenset[str]) -> PageSource:
    """Return the guarded client that fetches pages for `kb sync --fetch`, and for nothing else."""
    from support_agents.adapters.page_fetcher import PageFetcher

    return PageFetcher(private)


def attachment_reader(settings: Settings) -> AttachmentReader | None:
    """Return who reads customers' files where that is asked for, in a process that may neither decide nor act."""
    if not settings.read_attachments or settings.privilege not in {None, Privilege.AGENTS}:
        return None
    from support_agents.adapters.page_fetcher import PageFetcher

    key = settings.attachment_authorization
    server = settings.credential_origin(settings.zendesk_base_url)
    source = PageFetcher(
        frozenset(settings.attachment_private_hosts),
        largest=LARGEST_BYTES,
        seconds=_FILE_SECONDS,
        hosts=frozenset(settings.attachment_hosts),
        credentials={} if key is None or server is None else {server: key.get_secret_value()},
    )
    return AttachmentReader(source)


class SearchSides(Protocol):
    """One model that reads what is asked and what is searched, each in its own way; `background` asks without haste."""

    @property
    def version(self) -> str:
        """Of the model and of how it is used."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""
        ...

    @property
    def queries(self) -> Embedder:
        """What is asked."""
        ...

    @property
    def background(self) -> Embedder:
        """What is asked by nobody who waits."""
        ...

    @property
    def passages(self) -> Embedder:
        """What is searched."""
        ...

    def close(self) -> None:
        """Let go of the model."""
        ...


def search_embedder(settings: Settings) -> SearchSides | None:
    """Return the second embedder, for search alone, if the settings name one; refused where its files do not fit."""
    if settings.search_model is None:
        return None
    from support_agents.adapters.onnx_search import Pooling, SearchEmbedder, SearchFiles

    files = SearchFiles(
        model=settings.search_model,
        tokenizer=settings.search_tokenizer,
        pooling=Pooling(settings.search_pooling),
        query_prefix=settings.search_query_prefix,
        passage_prefix=settings.search_passage_prefix,
        max_tokens=settings.search_max_tokens,
    )
    return SearchEmbedder(files, threads=settings.onnx_threads)


@contextmanager
def searching(settings: Settings, folder: Path) -> Iterator[Tools]:
    """Give out the embedder with an empty index in `folder`, to measure retrieval on other documents than ours."""
    from support_agents.adapters.onnx import OnnxEmbedder
    from support_agents.adapters.qdrant_edge import QdrantEdgeStore

    embedder, other = OnnxEmbedder(threads=settings.onnx_threads), search_embedder(settings)
    passages = other.passages if other else embedder.indexing
    index = QdrantEdgeStore(folder, embedder_version=passages.version, dimensions=passages.dimensions)
    try:
        yield Tools(embedder, passages, index, other.queries if other else None)
    finally:
        index.close()
        embedder.close()
        if other is not None:
            other.close()


@dataclass(frozen=True)
class Index:
    """A passage index, the folder beside which this process keeps what it derives, and what lets go of it."""

    store: VectorStore
    folder: Path
    close: Callable[[], Awaitable[object]]


def index_of(settings: Settings, embedder: Embedder) -> Index:
    """Return the server's index where the settings name one, else one in a folder of this process."""
    if settings.qdrant_url:
        from support_agents.adapters.qdrant_server import QdrantServerStore, client_of

        key = settings.qdrant_api_key
        client = client_of(settings.qdrant_url, key.get_secret_value() if key else None)
        server = QdrantServerStore(client, embedder.version, embedder.dimensions)
        return Index(server, settings.data_dir / "index", server.close)
    from support_agents.adapters.qdrant_edge import QdrantEdgeStore

    open_in = partial(QdrantEdgeStore, embedder_version=embedder.version, dimensions=embedder.dimensions)
    edge, folder = in_own_folder(settings, open_in)
    return Index(edge, folder, partial(asyncio.to_thread, edge.close))


def entailment_model(settings: Settings) -> Entailment | None:
    """Return the entailment model of the settings' folder, if one is named."""
    if settings.entailment is None:
        return None
    from support_agents.adapters.onnx_entailment import OnnxEntailment

    return OnnxEntailment.load(settings.entailment, threads=settings.onnx_threads)


def pii_finder(settings: Settings) -> PiiFinder:
    """Return who finds personal data in prompts: the rules, or Presidio beside them; refused where it is missing."""
    if settings.pii_finder is PiiRecogniser.RULES:
        return RULES
    if importlib.util.find_spec("presidio_analyzer") is None:
        raise SupportError(
            "presidio_missing",
            "Presidio is not installed; install the extra `presidio`, or set SUPPORT_PII_FINDER=rules",
        )
    from support_agents.adapters.presidio import PresidioFinder

    return PresidioFinder.load(settings.pii_model)


@contextmanager
def detecting(settings: Settings) -> Iterator[Detector]:
    """Give out the injection detector alone, for measuring; a sentence that comes again is embedded once."""
    from support_agents.adapters.remembering import RememberingEmbedder

    with embedding(settings) as embedder:
        yield Detector(RememberingEmbedder(embedder))


def intent_registry(settings: Settings) -> Registry:
    """Return the intent models that this installation has trained."""
    make_data_dir(settings.data_dir)
    key = secret_key(settings)
    return Registry(settings.data_dir / "intents", key.derived("intents"), key.accepted("intents"))


def intent_model(settings: Settings, embedder_version: str) -> IntentModel:
    """Return the intent model in use: a promoted one, else the shipped one."""
    registry = intent_registry(settings)
    active = registry.active()
    if active is None:
        return IntentHead.load(embedder_version=embedder_version)
    return registry.load(active, embedder_version=embedder_version)


def outlier_detector() -> OutlierDetector:
    """Return the detector of unusual runs, which loads its library when there is enough to learn from."""
    from support_agents.adapters.pyod import PyodOutlierDetector

    return PyodOutlierDetector()


def system_clock() -> Clock:
    """Return this machine's clock."""
    from support_agents.adapters.clock import SystemClock

    return SystemClock()


def order_lookup(settings: Settings, clock: Clock) -> OrderLookup:
    """Return the order system; refused when its file cannot be read."""
    if settings.orders_csv is None:
        return NoOrders()
    from support_agents.adapters.orders_csv import CsvOrderLookup

    orders = CsvOrderLookup(settings.orders_csv, clock)
    orders.check()
    return orders

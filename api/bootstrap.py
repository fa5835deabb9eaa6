"""The composition root: chooses and loads adapters by the settings, and wires everything; it does no work itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from api.acting import Doors, acting_of
from api.asking import Asking
from api.auth import Auth
from api.container import Container, Records, Step
from api.editing import Editing
from api.fault_points import boundary_of
from api.intake.sources import intakes_of
from api.no_orders import NoOrders
from api.opening import apply_mode, release_leases
from api.passwords import Passwords
from api.secret_key import make_data_dir, secret_key
from api.settings import Provider, Settings
from api.sign_in_limits import SignInLimits
from api.thinking import Parts, runner_of
from api.worker.assembly import Work, worker_of
from api.worker.index_keeper import IndexKeeper
from api.worker.schedule import Duty
from api.worker.warming import Warming
from approvals.canonical import Way
from approvals.executors.protocol import Executor
from approvals.ports import HelpdeskGateway, PaymentGateway
from approvals.routing import Routes
from db.engine import Database
from db.interaction_log import InteractionLog
from db.passage_store import SqlPassageStore
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.known_vectors import KnownVectors
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.llm.budgeted import BudgetedModel, TokenLedger
from support_agents.policy.ledger import PolicyLedger, load_policy
from support_agents.ports import Clock, Embedder, LanguageModel, OrderLookup, VectorStore
from support_agents.runner import TicketRunner

# Intent and retrieval embed the same asks one after the other; a few messages are under way at once.
ASKS_REMEMBERED = 256


@dataclass(frozen=True)
class _Thinking:
    """The pipeline with what it is made of."""

    runner: TicketRunner
    embedder: Embedder
    background: Embedder
    index: VectorStore
    warm: Callable[[Sequence[Passage]], Awaitable[None]]
    closing: tuple[Step, ...]


@dataclass(frozen=True)
class _Outside:
    """The doors to the outside that the settings ask for."""

    doors: Doors
    record_payments: Step
    closing: tuple[Step, ...]


def build_records(settings: Settings) -> Records:
    """Wire what commands need that only read and write the database; no model is loaded and no index opened."""
    make_data_dir(settings.data_dir)
    key = secret_key(settings)
    database = Database.open(settings.database, boundary=boundary_of(settings))
    passages = SqlPassageStore(database)
    auth = Auth(
        database=database,
        passwords=Passwords(),
        limits=SignInLimits(key),
        key=key,
        lifetime=timedelta(hours=settings.session_hours),
        links_allowed=settings.demo,
    )
    return Records(
        settings=settings,
        key=key,
        database=database,
        auth=auth,
        passages=passages,
        knowledge=KnowledgeSync(passages),
    )


def build(settings: Settings) -> Container:
    """Wire a whole installation. Loads models and opens the index, which takes a second or two."""
    records = build_records(settings)
    database, clock = records.database, _clock()
    orders = _orders(settings, clock)
    outside = _outside(settings, clock, orders)
    acting = acting_of(settings, records.key, database, outside.doors)
    thinking = _thinking(settings, clock, orders)
    tickets = TicketStore(database, IdentifierHash(records.key.derived("identifiers")))
    indexer = PassageIndexer(passages=records.passages, embedder=thinking.background, index=thinking.index)
    keeper = IndexKeeper(lambda: indexer.refresh(DEFAULT_WORKSPACE))
    warming = Warming(thinking.warm, records.passages, thinking.index, keeper)
    work = Work(
        settings=settings,
        clock=clock,
        database=database,
        tickets=tickets,
        runner=thinking.runner,
        log=InteractionLog(),
        acting=acting,
        keeper=keeper,
    )
    duties = (
        Duty("payments", 60, outside.record_payments),
        Duty("warm", 30, lambda: warming.run(DEFAULT_WORKSPACE)),
    )
    return Container(
        **vars(records),
        clock=clock,
        intakes=intakes_of(settings, records.key),
        ticket_store=tickets,
        runner=thinking.runner,
        asking=Asking(
            runner=thinking.runner,
            embedder=thinking.embedder,
            index=thinking.index,
            clock=clock,
            deadline_seconds=settings.deadline_seconds,
        ),
        queue=acting.queue,
        editing=Editing(database, thinking.runner, acting.queue),
        executions=acting.executions,
        standings=acting.standings,
        indexer=indexer,
        keeper=keeper,
        worker=worker_of(work, duties),
        opening=(
            acting.standings.check,
            lambda: apply_mode(database, settings),
            lambda: release_leases(database, settings),
            outside.record_payments,
        ),
        closing=(*outside.closing, *thinking.closing),
    )


@contextmanager
def embedding(settings: Settings) -> Iterator[Embedder]:
    """Give out the embedder alone, for commands that need nothing else; refused when its files are not as measured."""
    from support_agents.adapters.onnx import OnnxEmbedder

    embedder = OnnxEmbedder(threads=settings.onnx_threads)
    try:
        yield embedder
    finally:
        embedder.close()


def order_lookup(settings: Settings) -> OrderLookup:
    """Return the order system alone; refused when its file cannot be read."""
    return _orders(settings, _clock())


def _clock() -> Clock:
    from support_agents.adapters.clock import SystemClock

    return SystemClock()


def _orders(settings: Settings, clock: Clock) -> OrderLookup:
    if settings.orders_csv is None:
        return NoOrders()
    from support_agents.adapters.orders_csv import CsvOrderLookup

    orders = CsvOrderLookup(settings.orders_csv, clock)
    orders.check()
    return orders


def _thinking(settings: Settings, clock: Clock, orders: OrderLookup) -> _Thinking:
    from support_agents.adapters.extractive import ExtractiveModel, SentenceVectors
    from support_agents.adapters.onnx import OnnxEmbedder
    from support_agents.adapters.qdrant_edge import QdrantEdgeStore
    from support_agents.adapters.remembering import RememberingEmbedder

    embedder = OnnxEmbedder(threads=settings.onnx_threads)
    index = QdrantEdgeStore(
        settings.data_dir / "index", embedder_version=embedder.version, dimensions=embedder.dimensions
    )
    policy = load_policy(settings.policy) if settings.policy else PolicyLedger(version="none")
    sentences = SentenceVectors(_knowing(settings, embedder))
    writer = _language_model(settings)
    runner = runner_of(
        Parts(
            embedder=RememberingEmbedder(embedder, room=ASKS_REMEMBERED),
            index=index,
            floor=settings.relevance_floor,
            orders=orders,
            policy=policy,
            extractive=ExtractiveModel(sentences),
            writer=writer,
            clock=clock,
            shares=settings.stages,
            remembering=sentences.memory,
        )
    )

    closing = (partial(asyncio.to_thread, index.close), partial(asyncio.to_thread, embedder.close))
    indexing = _knowing(settings, embedder.background)

    async def warm(passages: Sequence[Passage]) -> None:
        await sentences.warm(passages, indexing)

    return _Thinking(runner, embedder, indexing, index, warm, closing)


def _knowing(settings: Settings, embedder: Embedder) -> Embedder:
    """The embedder with the vectors that were made ahead, if there are any."""
    return KnownVectors.load(settings.known_vectors, embedder) if settings.known_vectors else embedder


def _outside(settings: Settings, clock: Clock, orders: OrderLookup) -> _Outside:
    from approvals.executors.refund import RefundExecutor

    payments, recorder = _payments(settings, clock)
    is_live = not settings.demo
    call = timedelta(seconds=settings.call_seconds)
    executors: dict[Way, Executor] = {Way.PAYMENT: RefundExecutor(payments, orders, call)}
    closings: list[Step] = []
    helpdesks: dict[str, HelpdeskGateway] = {}
    if settings.zendesk_base_url and settings.zendesk_token is not None:
        from approvals.adapters.helpdesk.zendesk import ZendeskGateway
        from approvals.executors.helpdesk_reply import HelpdeskReplyExecutor

        zendesk = ZendeskGateway.open(
            settings.zendesk_base_url,
            email=settings.zendesk_email,
            token=settings.zendesk_token.get_secret_value(),
            api_user=settings.zendesk_api_user_id,
            is_live=is_live,
        )
        helpdesks["zendesk"] = zendesk
        executors[Way.HELPDESK] = HelpdeskReplyExecutor(helpdesks, call)
        closings.append(zendesk.close)
    if settings.smtp_host:
        executors[Way.EMAIL] = _mail(settings, live=is_live)
    routes = Routes(
        helpdesks=dict.fromkeys(helpdesks, settings.zendesk_email),
        mail_from=settings.smtp_from_address if settings.smtp_host else None,
        live=frozenset(way for way in Way if (payments.live if way is Way.PAYMENT else is_live)),
    )
    return _Outside(Doors(executors, helpdesks, routes), recorder, tuple(closings))


def _payments(settings: Settings, clock: Clock) -> tuple[PaymentGateway, Step]:
    """The built-in ledger stands for a provider, which would know the payments; it learns them from the orders."""
    from approvals.adapters.payments.ledger import LedgerPaymentGateway, Payment
    from support_agents.adapters.orders_csv import read_orders

    ledger = LedgerPaymentGateway(settings.data_dir / "payments.db")
    seen: list[int] = []

    async def record() -> None:
        path = settings.orders_csv
        if path is None or seen == [changed := (await asyncio.to_thread(path.stat)).st_mtime_ns]:
            return
        rows = await asyncio.to_thread(read_orders, path, clock.now().date())
        await ledger.record(Payment(row.facts.payment_ref, row.facts.total, row.facts.refunded) for row in rows)
        seen[:] = [changed]

    return ledger, record


def _mail(settings: Settings, *, live: bool) -> Executor:
    from approvals.adapters.mail.smtp import SmtpMailTransport
    from approvals.executors.email import EmailExecutor

    password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
    transport = SmtpMailTransport(
        host=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=password,
        starttls=settings.smtp_starttls,
        is_live=live,
    )
    return EmailExecutor(transport, timedelta(seconds=settings.mail_seconds))


def _language_model(settings: Settings) -> LanguageModel | None:
    """The configured model; None for the extractive drafter."""
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
    named = {"model": settings.llm_model, "api_key": key}
    if settings.llm_base_url:
        named["base_url"] = settings.llm_base_url
    match settings.llm_provider:
        case Provider.EXTRACTIVE:
            return None
        case Provider.OPENAI:
            from support_agents.adapters.openai import OpenAiModel

            return BudgetedModel(OpenAiModel(**named), TokenLedger())
        case Provider.ANTHROPIC:
            from support_agents.adapters.anthropic import AnthropicModel

            return BudgetedModel(AnthropicModel(**named), TokenLedger())

"""The composition root: chooses and loads adapters by the settings, and wires everything; it does no work itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from api.acting import Acting, Doors, acting_of
from api.asking import Asking
from api.auth import Auth
from api.container import Container, Records, Step
from api.correcting import Correcting
from api.editing import Editing
from api.engines import entailment_model, intent_model, order_lookup, system_clock
from api.factors import SecondFactors
from api.fault_points import boundary_of
from api.intake.sources import intakes_of
from api.messaging import MessagingParts, messaging_of
from api.opening import apply_mode, release_leases
from api.outside import Paying, mailing_of, paying_of, shelf_of, stepping_of
from api.passwords import Passwords
from api.secret_key import make_data_dir, secret_key
from api.settings import Settings
from api.sign_in_limits import SignInLimits
from api.slack_bootstrap import slack_messenger, with_slack
from api.thinking import Parts, runner_of
from api.worker.assembly import Work, worker_of
from api.worker.index_keeper import IndexKeeper
from api.worker.schedule import Duty
from api.worker.warming import Warming
from api.writers import Writing, writing_of
from approvals.bounces import Bounces
from approvals.canonical import Way
from approvals.card_reading import CardReader
from approvals.executors.protocol import Executor
from approvals.ports import HelpdeskGateway
from approvals.routing import Routes
from db.engine import Database
from db.interaction_log import InteractionLog
from db.passage_store import SqlPassageStore
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.agents.macro_drafting import MacroDraftingAgent
from support_agents.domain.events import EventName
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.known_vectors import KnownVectors
from support_agents.knowledge.macro_shelf import MacroShelf
from support_agents.knowledge.macros import load_macros
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.macros import Macros
from support_agents.policy.ledger import PolicyLedger, load_policy
from support_agents.ports import (
    Clock,
    Embedder,
    OrderLookup,
    PassageStore,
    VectorStore,
)
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
    macros: Macros | None
    writing: Writing
    intents: tuple[str, ...]
    topics: TopicShelf


@dataclass(frozen=True)
class _Outside:
    """The doors to the outside that the settings ask for."""

    doors: Doors
    paying: Paying
    closing: tuple[Step, ...]


def build_records(settings: Settings) -> Records:
    """Wire what commands need that only read and write the database; no model is loaded and no index opened."""
    make_data_dir(settings.data_dir)
    key = secret_key(settings)
    heard = frozenset() if settings.slack_bot_token is None else frozenset({EventName.REQUEST_CHANGED})
    database = Database.open(settings.database, boundary=boundary_of(settings), heard=heard)
    passages = SqlPassageStore(database)
    passwords, limits = Passwords(), SignInLimits(key)
    auth = Auth(
        database=database,
        passwords=passwords,
        limits=limits,
        key=key,
        lifetime=timedelta(hours=settings.session_hours),
        links_allowed=settings.demo,
    )
    return Records(
        settings=settings,
        key=key,
        database=database,
        auth=auth,
        factors=SecondFactors(database, passwords, limits, key),
        passages=passages,
        knowledge=KnowledgeSync(passages),
    )


def build(settings: Settings) -> Container:
    """Wire a whole installation. Loads models and opens the index, which takes a second or two."""
    records = build_records(settings)
    database, clock = records.database, system_clock()
    orders = order_lookup(settings, clock)
    outside = _outside(settings, clock, orders, database)
    acting = acting_of(settings, records.key, database, outside.doors)
    thinking = _thinking(settings, clock, orders, records.passages, frozenset(outside.doors.shelf.files))
    tickets = TicketStore(database, IdentifierHash(records.key.derived("identifiers")))
    indexer = PassageIndexer(passages=records.passages, embedder=thinking.background, index=thinking.index)
    keeper = IndexKeeper(partial(_in_step, indexer, thinking.macros, thinking.topics))
    warming = Warming(thinking.warm, records.passages, thinking.index, keeper)
    cards = CardReader(thinking.runner.recheck, settings.public_url, frozenset(settings.link_hosts))
    messaging = _messaging(settings, records, cards)
    work = Work(
        settings=settings,
        clock=clock,
        database=database,
        tickets=tickets,
        runner=thinking.runner,
        log=InteractionLog(),
        acting=acting,
        keeper=keeper,
        notification=messaging.notification,
    )
    duties = (
        Duty("payments", 60, outside.paying.record),
        Duty("spend", 60, lambda: thinking.writing.restate(database)),
        Duty("warm", 30, lambda: warming.run(DEFAULT_WORKSPACE)),
        *messaging.duties,
    )
    container = Container(
        **vars(records),
        clock=clock,
        intakes=intakes_of(settings, records.key),
        provider_intakes=outside.paying.intakes,
        provider_events=acting.provider_events,
        bounces=Bounces(database),
        ticket_store=tickets,
        runner=thinking.runner,
        asking=_asking(settings, clock, thinking),
        queue=acting.queue,
        editing=Editing(database, thinking.runner, acting.queue),
        correcting=Correcting(database, thinking.intents),
        executions=acting.executions,
        standings=acting.standings,
        switch=acting.switch,
        seeds=acting.seeds,
        indexer=indexer,
        keeper=keeper,
        worker=worker_of(work, duties),
        cards=cards,
        messenger=messaging.messenger,
        opening=(*_opening(settings, database, acting), outside.paying.record, *messaging.opening),
        closing=(*messaging.closing, *outside.closing, *thinking.closing),
    )
    return with_slack(container)


def _asking(settings: Settings, clock: Clock, thinking: _Thinking) -> Asking:
    return Asking(
        runner=thinking.runner,
        embedder=thinking.embedder,
        index=thinking.index,
        clock=clock,
        deadline_seconds=settings.deadline_seconds,
        prepare=partial(_prepared, thinking.macros, thinking.topics),
    )


def _opening(settings: Settings, database: Database, acting: Acting) -> tuple[Step, ...]:
    """What a start does before anything else."""
    return (
        acting.standings.check,
        lambda: apply_mode(database, settings),
        lambda: release_leases(database, settings),
    )


def _thinking(
    settings: Settings, clock: Clock, orders: OrderLookup, passages: PassageStore, attachable: frozenset[str]
) -> _Thinking:
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
    writing = writing_of(settings)
    remembering = RememberingEmbedder(embedder, room=ASKS_REMEMBERED)
    macros = _macros(settings, passages, index, remembering, embedder)
    intents = intent_model(settings, embedder.version)
    titles = TitleVectors(_knowing(settings, embedder.background), settings.data_dir / "titles.npz")
    topics = TopicShelf(passages, index, titles)
    runner = runner_of(
        Parts(
            embedder=remembering,
            intents=intents,
            index=index,
            floor=settings.relevance_floor,
            orders=orders,
            policy=policy,
            extractive=ExtractiveModel(sentences),
            writer=writing.model,
            calls=writing.calls,
            clock=clock,
            shares=settings.stages,
            remembering=sentences.memory,
            macros=macros,
            attachable=attachable,
            entailment=entailment_model(settings),
            topics=topics,
            local_only=frozenset(map(WorkspaceId, settings.local_only_workspaces)),
        )
    )

    closing: tuple[Step, ...] = (
        *writing.closing,
        partial(asyncio.to_thread, index.close),
        partial(asyncio.to_thread, embedder.close),
    )
    indexing = _knowing(settings, embedder.background)

    async def warm(passages: Sequence[Passage]) -> None:
        await sentences.warm(passages, indexing)

    return _Thinking(runner, embedder, indexing, index, warm, closing, macros, writing, intents.names, topics)


async def _prepared(macros: Macros | None, topics: TopicShelf, workspace: WorkspaceId) -> None:
    """Make what a first message would otherwise wait for or go without."""
    await topics.current(workspace)
    if macros is not None:
        await macros.shelf.current(workspace)


async def _in_step(indexer: PassageIndexer, macros: Macros | None, topics: TopicShelf) -> None:
    """Bring the index in step with SQL, and what is bound to it or known of it, before a customer asks."""
    await indexer.refresh(DEFAULT_WORKSPACE)
    await _prepared(macros, topics, DEFAULT_WORKSPACE)


def _macros(
    settings: Settings, passages: PassageStore, index: VectorStore, asks: Embedder, embedder: Embedder
) -> Macros | None:
    """The approved replies of the folder that the settings name."""
    if settings.macros is None:
        return None
    shelf = MacroShelf(load_macros(settings.macros), passages, index, _knowing(settings, embedder))
    return Macros(shelf=shelf, embedder=asks, drafting=MacroDraftingAgent())


def _knowing(settings: Settings, embedder: Embedder) -> Embedder:
    """The embedder with the vectors that were made ahead, if there are any."""
    return KnownVectors.load(settings.known_vectors, embedder) if settings.known_vectors else embedder


def _outside(settings: Settings, clock: Clock, orders: OrderLookup, database: Database) -> _Outside:
    from approvals.executors.refund import RefundExecutor

    paying = paying_of(settings, clock)
    is_live = not settings.demo
    call = timedelta(seconds=settings.call_seconds)
    executors: dict[Way, Executor] = {Way.PAYMENT: RefundExecutor(paying.gateway, orders, call)}
    closings: list[Step] = [*paying.closing]
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
    shelf, mailing = shelf_of(settings), None
    if settings.smtp_host:
        mailing = mailing_of(settings, database, shelf, live=is_live)
        executors[Way.EMAIL] = mailing.executor
    stepping = stepping_of(settings, orders, live=is_live)
    if stepping is not None:
        executors[Way.HTTP] = stepping.executor
        closings += stepping.closing
    routes = Routes(
        helpdesks=dict.fromkeys(helpdesks, settings.zendesk_email),
        mail_from=settings.smtp_from_address if settings.smtp_host else None,
        live=frozenset(way for way in Way if (paying.gateway.live if way is Way.PAYMENT else is_live)),
        gateway=paying.gateway.name,
        endpoints={} if stepping is None else stepping.endpoints,
        dkim="" if mailing is None else mailing.dkim,
    )
    return _Outside(Doors(executors, helpdesks, routes, shelf), paying, tuple(closings))


def _messaging(settings: Settings, records: Records, cards: CardReader) -> MessagingParts:
    if settings.slack_bot_token is None:
        return MessagingParts()
    messenger = slack_messenger(settings, records.key)
    return messaging_of(settings, records.database, messenger, cards, messenger.close)

"""The composition root: chooses and loads adapters by the settings, and wires everything; it does no work itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from api import logging
from api.acting import Acting, acting_of
from api.arithmetic import in_one_thread
from api.asking import Asking
from api.auth import Auth
from api.choices import Privilege, Role
from api.conflicts import ArticleConflicts
from api.container import BrokerCheck, Container, Records, Step
from api.correcting import Correcting
from api.deciding import Deciding
from api.editing import Editing
from api.engines import (
    attachment_reader,
    entailment_model,
    intent_model,
    order_lookup,
    outlier_detector,
    pii_finder,
    system_clock,
)
from api.factors import SecondFactors
from api.fault_points import boundary_of
from api.heap import GIVING_BACK_SECONDS, give_back
from api.intake.admission import Admission
from api.intake.sources import intakes_of
from api.messaging import MessagingParts, messaging_of
from api.outside import outside_of
from api.passwords import Passwords
from api.pressure import LOOK_SECONDS, PressureGauge, gauge_of
from api.searching import BuiltIn, knowing, searching_of
from api.secret_key import make_data_dir, secret_key
from api.settings import Settings
from api.sign_in_limits import SignInLimits
from api.slack_bootstrap import slack_messenger, with_slack
from api.thinking import Parts, runner_of
from api.upkeep import duties_of, opening_of
from api.worker.assembly import Duties, Work, loops_of
from api.worker.attachment_reading import AttachmentReader
from api.worker.brokers import broker_of
from api.worker.index_follower import IndexFollower
from api.worker.index_keeper import IndexKeeper
from api.worker.outliers import OutlierLearning
from api.worker.schedule import Duty
from api.worker.warming import Warming
from api.writers import Writing, writing_of
from approvals.bounces import Bounces
from approvals.card_reading import CardReader
from approvals.fuller import FullerDrafts
from db.engine import Database
from db.interaction_log import InteractionLog
from db.passage_store import SqlPassageStore
from db.replica import Reading
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.agents.macro_drafting import MacroDraftingAgent
from support_agents.domain.events import EventName
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.knowledge.macro_shelf import MacroShelf
from support_agents.knowledge.macros import load_macros
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.macros import Macros
from support_agents.monitoring.outliers import Outliers
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.loading import load_policy
from support_agents.ports import (
    Clock,
    Embedder,
    OrderLookup,
    PassageStore,
    VectorStore,
)
from support_agents.runner import TicketRunner
from support_agents.screening.pii import RULES

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

    async def prepare(self, workspace: WorkspaceId) -> None:
        """Make what a first message would otherwise wait for or go without."""
        await self.topics.current(workspace)
        if self.macros is not None:
            await self.macros.shelf.settled(workspace)


@dataclass(frozen=True)
class _People:
    """What people do with a run."""

    editing: Editing
    fuller: FullerDrafts
    correcting: Correcting
    deciding: Deciding


class _Closing(Protocol):
    """A part that lets go of something when the process ends."""

    @property
    def closing(self) -> Sequence[Step]: ...


@dataclass(frozen=True)
class _Broker:
    """How to ask whether the broker answers; nothing where there is none."""

    check: BrokerCheck | None = None
    closing: tuple[Step, ...] = ()


@dataclass(frozen=True)
class _Admission:
    """Who is let in now, and what lets go of the store that counts."""

    door: Admission
    closing: tuple[Step, ...] = ()


def build_records(settings: Settings) -> Records:
    """Wire what commands need that only read and write the database; no model is loaded and no index opened."""
    make_data_dir(settings.data_dir)
    key = secret_key(settings)
    database = Database.open(
        settings.database, boundary=boundary_of(settings), heard=_heard(settings), direct=settings.database_direct_url
    )
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
        reading=_reading(settings, database),
        auth=auth,
        factors=SecondFactors(database, passwords, limits, key),
        passages=passages,
        knowledge=KnowledgeSync(passages, settings.language),
    )


def _heard(settings: Settings) -> frozenset[EventName]:
    """Which optional events somebody listens to."""
    cards, files = settings.slack_bot_token is not None, settings.read_attachments
    return frozenset(
        (*((EventName.REQUEST_CHANGED,) if cards else ()), *((EventName.ATTACHMENTS_DUE,) if files else ()))
    )


def _reading(settings: Settings, database: Database) -> Reading:
    replica = Database.open_replica(settings.database_read_url) if settings.database_read_url else None
    warn = partial(logging.get().warning, "replica_not_asked")
    return Reading(database, replica, settings.database_read_lag_seconds, lambda why: warn(why=why))


def build(settings: Settings, role: Role = Role.SERVE) -> Container:
    """Wire a process that thinks, by default a whole installation; loads models and an index in a second or two."""
    records = build_records(settings)
    database, clock = records.database, system_clock()
    orders = order_lookup(settings, clock)
    outside = outside_of(settings, clock, orders, database)
    acting = acting_of(settings, records.key, database, outside.doors)
    thinking = _thinking(settings, clock, orders, records.passages, frozenset(outside.doors.shelf.files))
    follower = _follower(records.passages, thinking)
    keeper = IndexKeeper(partial(follower.refresh, DEFAULT_WORKSPACE))
    cards = CardReader(thinking.runner.recheck, settings.public_url, frozenset(settings.link_hosts))
    messaging = _messaging(settings, records, cards, role)
    broker, admission = _broker(settings), _admission(settings, gauge_of(settings, database))
    work = Work(
        settings=settings,
        clock=clock,
        database=database,
        tickets=TicketStore(database, IdentifierHash(partial(records.key.first, "identifiers"))),
        runner=thinking.runner,
        log=InteractionLog(),
        acting=acting,
        keeper=keeper,
        pressure=admission.door.pressure,
        notification=messaging.notification,
        files=attachment_reader(settings) if role in {Role.SERVE, Role.WORKER} else None,
    )
    once = duties_of(settings, database, acting, outside, messaging.messenger)
    loops = loops_of(role, work, Duties(_here(role, work, thinking, records.passages), once))
    conflicts = ArticleConflicts(records.passages, thinking.runner.pipeline.policy)
    container = Container(
        **vars(records),
        **vars(_people(records, thinking, acting)),
        clock=clock,
        intakes=intakes_of(settings, records.key),
        admission=admission.door,
        provider_intakes=outside.paying.intakes,
        provider_events=acting.provider_events,
        bounces=Bounces(database),
        ticket_store=work.tickets,
        runner=thinking.runner,
        spend=thinking.writing.spend,
        asking=_asking(settings, clock, thinking),
        queue=acting.queue,
        executions=acting.executions,
        standings=acting.standings,
        switch=acting.switch,
        conflicts=conflicts,
        seeds=acting.seeds,
        keeper=keeper,
        follower=follower,
        worker=loops.worker,
        taker=loops.taker,
        broker=broker.check,
        cards=cards,
        messenger=messaging.messenger,
        opening=(*opening_of(settings, database, acting, role), outside.paying.record, *messaging.opening),
        closing=(conflicts.close, *_closings(messaging, outside, thinking, broker, admission)),
    )
    return with_slack(_with_files(container, work.files))


def _people(records: Records, thinking: _Thinking, acting: Acting) -> _People:
    """What people do with a run, wired alike for the console, Slack and the API."""
    database, queue = records.database, acting.queue
    return _People(
        editing=Editing(database, thinking.runner, queue),
        fuller=FullerDrafts(queue),
        correcting=Correcting(database, thinking.intents),
        deciding=Deciding(database, queue, records.key),
    )


def _closings(*parts: _Closing) -> tuple[Step, ...]:
    return tuple(step for part in parts for step in part.closing)


def _with_files(container: Container, reader: AttachmentReader | None) -> Container:
    """The container with who reads customers' files, if anybody does: warm before the first message, ended first."""
    if reader is None:
        return container
    opening, closing = (*container.opening, reader.warm), (reader.close, *container.closing)
    return replace(container, reader=reader, opening=opening, closing=closing)


def _follower(passages: PassageStore, thinking: "_Thinking") -> IndexFollower:
    titles = thinking.topics.titles
    indexer = PassageIndexer(passages=passages, embedder=thinking.background, index=thinking.index, titles=titles)
    return IndexFollower(passages, thinking.index, indexer, thinking.prepare)


def _broker(settings: Settings) -> _Broker:
    if not settings.distributed:
        return _Broker()
    from api.worker.broker import CeleryDispatcher

    dispatcher = CeleryDispatcher(broker_of(settings))
    return _Broker(dispatcher.check, (dispatcher.close,))


def _admission(settings: Settings, pressure: PressureGauge) -> _Admission:
    retrying = frozenset(settings.retrying_sources)
    if not settings.rate_limits:
        return _Admission(Admission(pressure, retrying))
    from api.intake.rates import rates_of

    rates = rates_of(settings)
    return _Admission(Admission(pressure, retrying, rates.count), rates.closing)


def _here(role: Role, work: Work, thinking: _Thinking, passages: PassageStore) -> tuple[Duty, ...]:
    """What every process that thinks does for itself by the clock."""
    if work.settings.privilege is Privilege.INTAKE:
        return (Duty("pressure", LOOK_SECONDS, work.pressure.look),)
    warming = Warming(thinking.warm, passages, thinking.index, work.keeper)
    duties = (
        Duty("spend", 60, lambda: thinking.writing.restate(work.database)),
        Duty("warm", 30, lambda: warming.run(DEFAULT_WORKSPACE)),
        Duty("pressure", LOOK_SECONDS, work.pressure.look),
        Duty("heap", GIVING_BACK_SECONDS, partial(asyncio.to_thread, give_back)),
    )
    # Who only answers questions marks no runs, and the library for it is 110 MB.
    if thinking.runner.outliers is None or role is Role.API:
        return duties
    learning = OutlierLearning(work.database, thinking.runner.outliers, work.keeper)
    return (*duties, Duty("outliers", 600, lambda: learning.run(DEFAULT_WORKSPACE)))


def _asking(settings: Settings, clock: Clock, thinking: _Thinking) -> Asking:
    return Asking(
        runner=thinking.runner,
        embedder=thinking.embedder,
        index=thinking.index,
        clock=clock,
        deadline_seconds=settings.deadline_seconds,
        prepare=thinking.prepare,
    )


def _thinking(
    settings: Settings, clock: Clock, orders: OrderLookup, passages: PassageStore, attachable: frozenset[str]
) -> _Thinking:
    from support_agents.adapters.extractive import ExtractiveModel, SentenceVectors
    from support_agents.adapters.onnx import OnnxEmbedder
    from support_agents.adapters.remembering import RememberingEmbedder

    in_one_thread()
    embedder = OnnxEmbedder(threads=settings.onnx_threads)
    policy = load_policy(settings.policy) if settings.policy else PolicyLedger(version="none")
    writing = writing_of(settings)
    remembering = RememberingEmbedder(embedder, room=ASKS_REMEMBERED)
    sentences = SentenceVectors(knowing(settings, remembering))
    built_in = BuiltIn(embedder, remembering, embedder.indexing)
    searching = searching_of(settings, built_in, passages, room=ASKS_REMEMBERED)
    index = searching.store
    macros = _macros(settings, passages, index, remembering, embedder)
    intents = intent_model(settings, embedder.version)
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
            small=writing.small,
            calls=writing.calls,
            clock=clock,
            shares=settings.stages,
            language=settings.language,
            remembering=sentences.memory,
            leading=searching.message,
            searching=searching.apart,
            macros=macros,
            attachable=attachable,
            entailment=entailment_model(settings),
            topics=searching.topics,
            outliers=Outliers(outlier_detector()),
            finder=pii_finder(settings) if writing.model is not None else RULES,
            local_only=frozenset(map(WorkspaceId, settings.local_only_workspaces)),
        )
    )

    closing: tuple[Step, ...] = (*writing.closing, *searching.closing, partial(asyncio.to_thread, embedder.close))
    background = knowing(settings, embedder.background)

    async def warm(passages: Sequence[Passage]) -> None:
        await sentences.warm(passages, background)

    sides = (searching.questions, searching.passages)
    return _Thinking(runner, *sides, index, warm, closing, macros, writing, intents.names, searching.topics)


def _macros(
    settings: Settings, passages: PassageStore, index: VectorStore, asks: Embedder, embedder: Embedder
) -> Macros | None:
    """The approved replies of the folder that the settings name."""
    if settings.macros is None:
        return None
    shelf = MacroShelf(load_macros(settings.macros), passages, index, knowing(settings, embedder))
    return Macros(shelf=shelf, embedder=asks, drafting=MacroDraftingAgent())


def _messaging(settings: Settings, records: Records, cards: CardReader, role: Role) -> MessagingParts:
    if settings.slack_bot_token is None:
        return MessagingParts()
    messenger = slack_messenger(settings, records.key)
    return messaging_of(settings, records.database, messenger, cards, role)

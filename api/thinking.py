"""Wires the five agents around an embedder, an index, orders and language models; it chooses none of them."""

from dataclasses import dataclass, field
from functools import partial

from support_agents.agents.compliance import ComplianceAgent
from support_agents.agents.debate import DebateAgent
from support_agents.agents.drafting import DraftingAgent
from support_agents.agents.evidence_judge import EvidenceJudge
from support_agents.agents.intent import IntentAgent
from support_agents.agents.intent_opinion import IntentOpinion
from support_agents.agents.interaction_log import InteractionLogAgent
from support_agents.agents.retrieval import FLOOR, RetrievalAgent
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.sections import Rung
from support_agents.knowledge.topic_shelf import TopicShelf
from support_agents.llm.recorded import CallLog, RecordedModel
from support_agents.llm.redacted import RedactedModel
from support_agents.llm.structured import StructuredModel
from support_agents.macros import Macros
from support_agents.monitoring.outliers import Outliers
from support_agents.pipeline import Pipeline
from support_agents.policy.ledger import PolicyLedger
from support_agents.ports import Clock, Embedder, Entailment, IntentModel, LanguageModel, OrderLookup, VectorStore
from support_agents.prompts.files import load_prompt
from support_agents.runner import TicketRunner
from support_agents.screening.detection import Detector
from support_agents.screening.pii import RULES
from support_agents.screening.screening import screen
from support_agents.screening.spans import PiiFinder
from support_agents.stages import Shares


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What differs between installations.

    `writer` is the configured language model, None for the extractive one; it puts its calls into `calls` by itself,
    for only it knows how many it makes. `small` is a cheaper one that is asked short questions, None if there is none.
    `language` is the account's, for messages too short to tell theirs.
    `searching` is the index's own embedder, None where that is `embedder`; `leading` has it begin with a message.
    """

    embedder: Embedder
    intents: IntentModel
    index: VectorStore
    floor: float | None
    orders: OrderLookup
    policy: PolicyLedger
    extractive: LanguageModel
    writer: LanguageModel | None
    small: LanguageModel | None
    clock: Clock
    shares: Shares
    language: str = "en"
    remembering: Embedder | None = None
    leading: Embedder | None = None
    searching: Embedder | None = None
    macros: Macros | None = None
    attachable: frozenset[str] = frozenset()
    calls: CallLog = field(default_factory=CallLog)
    topics: TopicShelf | None = None
    entailment: Entailment | None = None
    outliers: Outliers | None = None
    local_only: frozenset[WorkspaceId] = frozenset()
    finder: PiiFinder = RULES


def runner_of(parts: Parts) -> TicketRunner:
    """Return the runner; with a writer, the extractive drafter works beside it in case it is late or wrong."""
    prompt = load_prompt("drafting")
    calls = parts.calls
    extractive = DraftingAgent(RecordedModel(parts.extractive, calls), prompt, Rung.EXTRACTIVE)
    outside = RedactedModel(parts.writer, parts.local_only, parts.finder) if parts.writer is not None else None
    written = DraftingAgent(outside, prompt) if outside is not None else None
    small = (
        StructuredModel(RedactedModel(parts.small, parts.local_only, parts.finder)) if parts.small is not None else None
    )
    debate = DebateAgent(parts.policy.checks.debate, outside)
    pipeline = Pipeline(
        screen=partial(screen, default_language=parts.language),
        embedder=parts.leading or parts.embedder,
        intent=IntentAgent(
            parts.intents, parts.clock, embedder=parts.embedder, opinion=IntentOpinion(small) if small else None
        ),
        retrieval=RetrievalAgent(
            parts.index,
            parts.embedder,
            FLOOR if parts.floor is None else parts.floor,
            parts.remembering,
            parts.topics,
            judge=EvidenceJudge(small) if small else None,
            searching=parts.searching,
        ),
        orders=parts.orders,
        policy=parts.policy,
        drafting=written or extractive,
        spare_drafting=extractive if written else None,
        compliance=ComplianceAgent(parts.policy, parts.entailment),
        clock=parts.clock,
        shares=parts.shares,
        calls=calls,
        macros=parts.macros,
        attachable=parts.attachable,
        debate=debate if parts.policy.checks.debate.is_on else None,
        detector=Detector(parts.embedder),
    )
    return TicketRunner(
        pipeline=pipeline, interaction_log=InteractionLogAgent(), clock=parts.clock, outliers=parts.outliers
    )

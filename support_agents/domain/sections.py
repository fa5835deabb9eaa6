"""One agent's part of a run each: frozen, written once, stored as they are."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.action import ClauseRef, ProposedAction
from support_agents.domain.intent import UNKNOWN, Ask, Entity, IntentScore
from support_agents.domain.knowledge import Citation, RetrievedPassage
from support_agents.domain.macro import ChosenMacro, OpenAsk
from support_agents.domain.orders import OrderFacts
from support_agents.domain.voice import Voice


class Rung(StrEnum):
    """How a draft came about, from best to least."""

    DRAFTED = "drafted"
    SHORTENED = "shortened"
    MACRO = "macro"
    EXTRACTIVE = "extractive"
    CLARIFY = "clarify"


class SectionName(StrEnum):
    """Sections of a run; `OWNERS` says who writes which."""

    SCREENING = "screening"
    INTENT = "intent"
    RETRIEVAL = "retrieval"
    PLAN = "plan"
    DRAFT = "draft"
    COMPLIANCE = "compliance"


class Writer(StrEnum):
    """Who writes a section: four of the agents, and the pipeline for its own rules."""

    PIPELINE = "pipeline"
    INTENT = "intent"
    RETRIEVAL = "retrieval"
    DRAFTING = "drafting"
    COMPLIANCE = "compliance"


OWNERS: dict[SectionName, Writer] = {
    SectionName.SCREENING: Writer.PIPELINE,
    SectionName.INTENT: Writer.INTENT,
    SectionName.RETRIEVAL: Writer.RETRIEVAL,
    SectionName.PLAN: Writer.PIPELINE,
    SectionName.DRAFT: Writer.DRAFTING,
    SectionName.COMPLIANCE: Writer.COMPLIANCE,
}


class Section(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(frozen=True)


class AttachedWords(Section):
    """What an attached file says, screened: data like the message, and nothing that anything is proposed by."""

    filename: str
    text: str


class ScreeningSection(Section):
    """What rules said of the customer's text before anything else looked at it."""

    language: str = Field(description="ISO 639-1 code")
    language_confidence: float = Field(ge=0, le=1)
    injection: bool = Field(default=False, description="text that tries to instruct the software")
    injection_spans: tuple[tuple[int, int], ...] = ()
    doubted: bool = Field(default=False, description="a tainted span is left in the clean text: no model may read it")
    reasons: tuple[str, ...] = ()
    head: str = Field(default="", description="version of the injection head that judged it too, empty: rules alone")
    clean_text: str = Field(description="the newest message without quoted history, signature and tainted spans")
    attached: tuple[AttachedWords, ...] = Field(
        default=(), description="what files say that had been read when the run began, without tainted sentences"
    )


# An ask stands apart from the words that explain it: below DOUBTFUL its own intent gives way to a message's SURE one.
SURE, DOUBTFUL = 0.8, 0.75


class IntentSection(Section):
    """Ranked intents, asks in order of appearance, typed entities."""

    intents: tuple[IntentScore, ...] = Field(description="best first; at most five; `unknown` below the threshold")
    asks: tuple[Ask, ...]
    entities: tuple[Entity, ...]
    model_version: str

    @property
    def top(self) -> IntentScore:
        """The intent that planning goes by."""
        return self.intents[0]

    @property
    def settled_asks(self) -> tuple[Ask, ...]:
        """The asks, a doubtful one taken for what the message as a whole surely is about; unclear ones stay so."""
        if self.top.name == UNKNOWN or self.top.probability < SURE:
            return self.asks
        return tuple(
            ask.model_copy(update={"intent": self.top})
            if ask.intent.name != UNKNOWN and ask.intent.probability < DOUBTFUL
            else ask
            for ask in self.asks
        )


class RetrievalSection(Section):
    """The evidence; an empty tuple means that nothing relevant was found, which is an answer."""

    query: str
    passages: tuple[RetrievedPassage, ...]
    floor: float = Field(description="similarity below which a passage is dropped")
    index_version: str
    tainted: tuple[str, ...] = Field(
        default=(), description="titles of passages left out because they try to instruct the software"
    )
    set_aside: tuple[str, ...] = Field(
        default=(), description="titles of passages that were found and do not seem to answer, best first"
    )


class ComputedFact(Section):
    """A value made by code (`return deadline`, `2026-12-04`) with the inputs it was made from."""

    name: str
    value: str = Field(description="as it may stand in a draft")
    inputs: dict[str, str]


class OrderAnswer(StrEnum):
    """What the order system answered, if it was asked."""

    NOT_ASKED = "not_asked"
    FOUND = "found"
    NOT_THEIRS = "not_theirs"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SEVERAL = "several"


class PlanSection(Section):
    """Proposed actions other than the reply, and the facts they rest on. Made by rules alone."""

    order_answer: OrderAnswer = OrderAnswer.NOT_ASKED
    order: OrderFacts | None = None
    facts: tuple[ComputedFact, ...] = ()
    actions: tuple[ProposedAction, ...] = ()
    clauses: tuple[ClauseRef, ...] = ()
    needs_order_id: bool = Field(default=False, description="an order number is missing: ask one question")
    question: str = Field(default="", description="the one question to ask instead of that for the order number")
    hand_off: str | None = Field(default=None, description="why a person must take the ticket, if so")
    reasons: tuple[str, ...] = ()


class Sentence(Section):
    """One whole sentence of a draft with what it rests on; courtesy sentences rest on nothing."""

    text: str
    citations: tuple[Citation, ...] = ()
    facts: tuple[str, ...] = Field(default=(), description="names of computed facts and order fields stated")
    courtesy: bool = Field(default=False, description="greeting, closing or a question: states nothing")
    lead: Literal["", " ", "\n", "\n\n"] = Field(default=" ", description="white space before it in the written draft")


def written(sentences: Sequence[Sentence]) -> str:
    """Return the draft as it is shown and sent: the sentences with the white space between them, no marks."""
    return "".join(sentence.lead + sentence.text for sentence in sentences).strip()


class DraftSection(Section):
    """The reply as sentences; `text` is what would be sent, without citation marks."""

    rung: Rung
    sentences: tuple[Sentence, ...]
    text: str
    model: str
    prompt_version: str
    open_asks: tuple[str, ...] = Field(default=(), description="asks that the draft names as open")


class CheckResult(StrEnum):
    """One check's word on one sentence or the whole draft."""

    PASSED = "passed"
    FAILED = "failed"


class Severity(StrEnum):
    """What follows when a check fails."""

    FLAG = "flag"  # the sentence stays, and whoever approves is told
    DROP = "drop"  # the sentence is lost
    BLOCK = "block"  # the whole draft is not fit to be shown


class Check(Section):
    """A named check with its result and a reason a person understands."""

    name: str
    result: CheckResult
    severity: Severity = Severity.DROP
    reason: str = ""
    sentence: int | None = Field(default=None, description="index into the streamed sentences; None = whole draft")


class Verdict(StrEnum):
    """Compliance's judgement of a draft."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REPAIRED = "repaired"
    FLAGGED = "flagged"
    BLOCKED = "blocked"


def verdict_of(checks: Sequence[Check]) -> Verdict:
    """The gravest consequence decides: a flag outweighs a repair, for a person must look."""
    failed = {check.severity for check in checks if check.result is CheckResult.FAILED}
    if Severity.BLOCK in failed:
        return Verdict.BLOCKED
    if Severity.FLAG in failed:
        return Verdict.FLAGGED
    return Verdict.REPAIRED if failed else Verdict.PASS


class ComplianceSection(Section):
    """The verdict on the draft that is shown; dropped sentences are kept here with their reasons."""

    verdict: Verdict
    checks: tuple[Check, ...]
    dropped: tuple[Sentence, ...] = ()
    facts_stated: int = 0
    facts_confirmed: int = 0


class DraftingGiven(BaseModel):
    """All that drafting sees: no history, no database, no internal passages."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="the newest message, screened")
    subject: str
    customer_name: str
    language: str
    channel: str
    asks: tuple[Ask, ...]
    passages: tuple[RetrievedPassage, ...] = Field(description="public ones only; cited as [1]…[n]")
    order: OrderFacts | None
    facts: tuple[ComputedFact, ...]
    actions: tuple[ProposedAction, ...]
    needs_order_id: bool
    question: str = ""
    order_answer: OrderAnswer
    attachments: tuple[str, ...] = Field(default=(), description="file names the customer attached")
    attached: tuple[AttachedWords, ...] = Field(
        default=(), description="what some of them say: data, no evidence, and nothing that a reply may state"
    )
    today: date
    macros: tuple[ChosenMacro, ...] = Field(default=(), description="approved wording for this case, in order")
    opened: tuple[OpenAsk, ...] = Field(default=(), description="what the macros leave open and the reply says so")
    rejected: tuple[str, ...] = Field(default=(), description="why people rejected earlier drafts, in words: data")
    earlier: tuple[str, ...] = Field(default=(), description="what was said before, oldest first, a line each: data")
    voice: Voice = Voice()


class ComplianceGiven(BaseModel):
    """All that compliance sees besides the sentences."""

    model_config = ConfigDict(frozen=True)

    drafting: DraftingGiven
    customer_email: str
    internal_passages: tuple[RetrievedPassage, ...] = ()
    tainted: tuple[str, ...] = Field(default=(), description="sentences of the customer that try to instruct software")
    source_language: str

"""What a draft costs: the pipeline's recorded calls beside one call that does everything, at published prices.

Tokens are characters by four on both sides, of the prompts as they are sent. The one call is given the whole knowledge
base – counted once as new, once as if the provider always had all but the message in its cache – or 20 passages.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.asking import Question
from api.container import Container
from api.demo import shop
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.runs import RunRecord
from support_agents.llm.prices import Tokens, shipped_prices
from support_agents.prompts.files import load_prompt
from support_agents.wording.phrases import phrases_of
from tests.benchmarks.figures import Report, Shown, table
from tests.benchmarks.in_process import in_process, question_of
from tests.benchmarks.messages import samples
from tests.benchmarks.provider import provider_process

TICKETS, ASKED_FOR = 200, 0.4
LARGE, SMALL = "gpt-5", "gpt-5-mini"
_CHARACTERS_A_TOKEN, _BEST = 4, 20
# Intents, evidence and checks in the one call's JSON, beside the reply itself: about as long as its form.
_JSON_TOKENS = 60
_USUAL_REPLY = 110
_MONOLITH = Path(__file__).with_name("monolith.md")


@dataclass(frozen=True)
class Bill:
    """Tokens and millionths of a dollar for all tickets."""

    way: str
    read: int = 0
    cached: int = 0
    written: int = 0
    micro_usd: int = 0

    def plus(self, tokens: Tokens, micro_usd: int) -> "Bill":
        return Bill(
            self.way,
            self.read + tokens.read,
            self.cached + tokens.cached,
            self.written + tokens.written,
            self.micro_usd + micro_usd,
        )


def measure() -> Report:
    """Draft the same tickets each way."""
    bills, routes = asyncio.run(_measured())
    ours, *others = bills
    rows = [
        (one.way, one.read, one.cached, one.written, f"{one.micro_usd / TICKETS / 1_000:.3f}", _share(ours, one))
        for one in bills
    ]
    figures = {one.way: {**vars(one), "ours_over_it": ours.micro_usd / one.micro_usd} for one in bills}
    columns = ("", "tokens in", "of these cached", "tokens out", "$ for 1,000 tickets", "ours ÷ it")
    return Report(
        "cost",
        (
            table(f"{TICKETS} tickets, {LARGE} and {SMALL}", columns, rows),
            table("who wrote", ("", "calls"), sorted(routes.items())),
        ),
        figures,
        tuple(
            Shown(f"cost of the pipeline ÷ {one.way}: {_share(ours, one)}, ≤ {ASKED_FOR} asked for",
                  ours.micro_usd <= ASKED_FOR * one.micro_usd)
            for one in others
        ),
    )  # fmt: skip


def _share(ours: Bill, other: Bill) -> str:
    return f"{ours.micro_usd / other.micro_usd:.2f}"


async def _measured() -> tuple[list[Bill], dict[str, int]]:
    settings = {"llm_provider": "openai", "llm_model": LARGE, "llm_small_model": SMALL, "llm_api_key": "k"}
    patient = {"deadline_seconds": 12.0, "stages": {"understanding": 5, "retrieval": 5, "drafting": 5}}
    ours, best = Bill("pipeline"), Bill(f"one call, {_BEST} passages")
    whole, kept = Bill("one call, whole knowledge base"), Bill("one call, whole knowledge base, always cached")
    routes: dict[str, int] = {}
    with provider_process("--instant") as address:
        models = {**settings, **patient, "llm_base_url": f"{address}/v1", "llm_hedge_share": 0.0}
        async with in_process(TICKETS, models) as container:
            knowledge = await _knowledge(container)
            for sample in samples(TICKETS, series="C"):
                question = question_of(sample)
                record = await container.asking.ask(question, DEFAULT_WORKSPACE)
                for call in (one for one in record.model_calls if ":" in one.model):
                    ours = ours.plus(Tokens(call.tokens_in, call.tokens_out), call.cost_micro_usd)
                    routes[f"{call.model} – {call.route}"] = routes.get(f"{call.model} – {call.route}", 0) + 1
                written = _reply_tokens(record) + _JSON_TOKENS
                found = await container.asking.search(question.text, DEFAULT_WORKSPACE, limit=_BEST)
                whole = _with_one_call(whole, knowledge, question, written=written, cached=False)
                kept = _with_one_call(kept, knowledge, question, written=written, cached=True)
                passages = [one.passage.text for one in found]
                best = _with_one_call(best, passages, question, written=written, cached=False)
    return [ours, whole, kept, best], routes


async def _knowledge(container: Container) -> list[str]:
    ids = sorted(await container.passages.passage_ids(DEFAULT_WORKSPACE))
    chunks = [ids[at : at + 200] for at in range(0, len(ids), 200)]
    found = [one for chunk in chunks for one in await container.passages.passages(DEFAULT_WORKSPACE, chunk)]
    return [passage.text for passage in found if passage.audience == "public"]


def _reply_tokens(record: RunRecord) -> int:
    """The one call writes a reply to every ticket, also where the pipeline knows better than to ask a model."""
    draft = record.sections.draft
    return len(draft.text) // _CHARACTERS_A_TOKEN if draft is not None else _USUAL_REPLY


def _with_one_call(bill: Bill, passages: Sequence[str], question: Question, *, written: int, cached: bool) -> Bill:
    evidence = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(passages, start=1))
    system = _MONOLITH.read_text(encoding="utf-8").format(
        intents=", ".join(sorted(_intents())),
        rules=load_prompt("drafting").system,
        policy=shop.POLICY.read_text(encoding="utf-8"),
        evidence=evidence,
    )
    before = len(system) // _CHARACTERS_A_TOKEN
    after = (len(question.text) + len(question.subject)) // _CHARACTERS_A_TOKEN
    tokens = Tokens(before + after, written, before if cached else 0)
    return bill.plus(tokens, shipped_prices().cost(f"openai:{LARGE}", tokens))


def _intents() -> list[str]:
    phrases = phrases_of("en")
    return list(phrases.tree["topic"]) if phrases else []

"""The work of `kb gaps`: reads the record and groups what articles did not answer; it changes nothing."""

import json
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
from rich.text import Text

from api.cli.installation import configured, recorded
from api.cli.output import progress, remarks, results
from api.correcting import without_identifiers
from api.engines import embedding
from approvals.canonical import CanonicalReply, Sealed, digest_of, unseal
from db.read_models.unanswered import Edited, Unanswered, unanswered
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.intent import UNKNOWN
from support_agents.knowledge.gaps import Gap, Question, Why, gaps, is_rewritten
from support_agents.ports import Embedder, Vector

# Beyond so many the comparison of each with each would take more memory than a command should.
MOST_RUNS = 5_000
_BATCH = 16


async def show_gaps(*, days: int, least: int, as_json: bool) -> None:
    """Print the groups, largest first, or one JSON array of them."""
    settings = configured()
    async with recorded(settings) as records, records.database.read() as uow:
        since = await uow.now() - timedelta(days=days)
        found = await unanswered(uow, DEFAULT_WORKSPACE, since=since, limit=MOST_RUNS)
    questions = tuple(question for one in found if (question := question_of(one)) is not None)
    with embedding(settings) as embedder:
        grouped = gaps(questions, await _vectors(questions, embedder), least=least)
    if as_json:
        results().print_json(json.dumps([gap.model_dump(mode="json") for gap in grouped]))
    else:
        _print(grouped, questions=len(questions), days=days)


def question_of(one: Unanswered) -> Question | None:
    """Return a run's message as a question, masked; None if it asks for nothing, or its draft was good enough."""
    sections = one.record.sections
    if sections.screening is None or sections.intent is None or not sections.intent.asks:
        return None
    why = _why(one)
    if why is None:
        return None
    asks = sections.intent.asks
    telling = next((ask for ask in asks if ask.intent.name == UNKNOWN), asks[0])
    return Question(
        text=without_identifiers(sections.screening.clean_text, one.customer),
        ask=without_identifiers(telling.text, one.customer),
        intent=sections.intent.top.name,
        language=sections.screening.language,
        why=why,
    )


def _why(one: Unanswered) -> Why | None:
    if one.edited is not None:
        proposed, left = _texts(one.edited)
        return Why.REWRITTEN if is_rewritten(proposed, left) else None
    retrieval = one.record.sections.retrieval
    return Why.NOTHING_FOUND if retrieval is not None and not retrieval.passages else None


def _texts(edited: Edited) -> tuple[str, str]:
    actions = (unseal(Sealed(canonical, digest_of(canonical))) for canonical in (edited.proposed, edited.left))
    proposed, left = (action.text if isinstance(action, CanonicalReply) else "" for action in actions)
    return proposed, left


async def _vectors(questions: tuple[Question, ...], embedder: Embedder) -> Vector:
    texts = [question.text for question in questions]
    rows = [await embedder.embed(())]
    with progress("messages", remarks()) as step:
        for start in range(0, len(texts), _BATCH):
            step(start, len(texts))
            rows.append(await embedder.embed(texts[start : start + _BATCH]))
    return np.concatenate(rows)


def _print(grouped: tuple[Gap, ...], *, questions: int, days: int) -> None:
    if not grouped:
        remarks().print(f"{questions} unanswered questions in {days} days, and no two groups of them alike")
        return
    console = results()
    for gap in grouped:
        console.print(Text(gap.title, style="bold cyan"))
        console.print(Text(f"  {gap.questions} questions: {_counts(gap.why)} · {_counts(gap.intents)}"))
        for example in gap.examples:
            console.print(Text(f"  – {' '.join(example.split())}"), soft_wrap=True)
        console.print()


def _counts(counted: Mapping[Why, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counted.items())

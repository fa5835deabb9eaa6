"""Count the checks that fail on sentences of articles quoted as they are; changes nothing.

`python tests/evals/measure_checks.py [ARTICLES.jsonl]`: one object a line with `id`, `title`, `body`; the demo shop's
articles without a file. Each sentence of a public passage is cited to the letter, as the extractive drafter does it,
with the demo's policy ledger for the demo. Three sentences in a row count as one draft.
"""

# ruff: noqa: T201 - a script that prints its table and runs alone
import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import thread_time

from api.demo import shop
from support_agents.agents.compliance import ComplianceAgent
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Audience, Citation, Passage, RetrievedPassage
from support_agents.domain.sections import (
    CheckResult,
    ComplianceGiven,
    DraftingGiven,
    OrderAnswer,
    Sentence,
)
from support_agents.evals.figures import percentile_ms
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.loaders import load_folder
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.loading import load_policy
from support_agents.wording.segments import split_sentences

_DRAFT = 3


def main() -> None:
    """Judge every sentence, print what fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=Path, nargs="?")
    parser.add_argument("--show", action="store_true", help="print each sentence that fails")
    options = parser.parse_args()
    agent = ComplianceAgent(PolicyLedger(version="none") if options.articles else load_policy(shop.POLICY))
    names: Counter[str] = Counter()
    seconds: list[float] = []
    sentences = failing = drafts = failing_drafts = 0
    for passage in _passages(options.articles):
        given = _given(passage)
        failed = [_failed(agent, given, text, seconds) for text in _sentences(passage)]
        sentences, failing = sentences + len(failed), failing + sum(map(bool, failed))
        for names_of_one in failed:
            names.update(names_of_one)
        for start in range(0, len(failed), _DRAFT):
            drafts, failing_drafts = drafts + 1, failing_drafts + any(failed[start : start + _DRAFT])
        for text, found in zip(_sentences(passage), failed, strict=True):
            if options.show and found:
                print(sorted(found), text)
    print(f"sentences {sentences}, with a failed check {failing} ({failing / sentences:.2%})")
    print(f"drafts of {_DRAFT} {drafts}, with a failed check {failing_drafts} ({failing_drafts / drafts:.2%})")
    for name, count in names.most_common():
        print(f"  {name} {count}")
    print(f"processor time of a sentence: p50 {_percentile(seconds, 50)} ms, p99 {_percentile(seconds, 99)} ms")


def _passages(articles: Path | None) -> Iterator[Passage]:
    with tempfile.TemporaryDirectory() as folder:
        root = shop.ARTICLES if articles is None else Path(folder)
        for line in articles.read_text(encoding="utf-8").splitlines() if articles else ():
            row = json.loads(line)
            front = f"---\nid: {row['id']}\ntitle: {json.dumps(row['title'])}\naudience: public\nlanguage: en\n---\n\n"
            (root / f"{row['id']}.md").write_text(f"{front}# {row['title']}\n\n{row['body']}", encoding="utf-8")
        for article in load_folder(root).articles:
            for passage in passages_of(article, DEFAULT_WORKSPACE):
                if passage.audience is Audience.PUBLIC:
                    yield passage


def _sentences(passage: Passage) -> tuple[str, ...]:
    return tuple(part.text for part in split_sentences(passage.text))


def _given(passage: Passage) -> ComplianceGiven:
    drafting = DraftingGiven(
        text="",
        subject="",
        customer_name="",
        language=passage.language,
        channel="email",
        asks=(),
        passages=(RetrievedPassage(passage=passage, score=1, similarity=1),),
        order=None,
        facts=(),
        actions=(),
        needs_order_id=False,
        order_answer=OrderAnswer.NOT_ASKED,
        today=datetime.now(UTC).date(),
    )
    return ComplianceGiven(drafting=drafting, customer_email="", source_language=passage.language)


def _failed(agent: ComplianceAgent, given: ComplianceGiven, text: str, seconds: list[float]) -> set[str]:
    passage = given.drafting.passages[0].passage
    citation = Citation(passage_id=passage.id, article_id=passage.article_id, title=passage.title, quote=text)
    began = thread_time()
    verdict = agent.check(Sentence(text=text, citations=(citation,)), 0, given)
    seconds.append(thread_time() - began)
    return {f"{one.name} ({one.severity.value})" for one in verdict.checks if one.result is CheckResult.FAILED}


def _percentile(seconds: list[float], percent: float) -> float:
    return round(percentile_ms(seconds, percent), 2)


if __name__ == "__main__":
    main()

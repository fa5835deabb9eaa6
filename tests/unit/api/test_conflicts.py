"""Articles are held against the policy in force before a draft quotes them, once a state of both."""

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from api.conflicts import ArticleConflicts, conflicts_in
from api.console.views.conflicts import conflict_figures, shown_conflicts
from api.demo import shop
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.loaders import load_folder
from support_agents.policy.ledger import PolicyLedger
from support_agents.policy.loading import load_policy
from support_agents.ports import ChunkedArticle
from support_agents.testing.knowledge import MemoryPassageStore
from tests.fixtures.drafting import TODAY, passage

POLICY = """
version: "1"
clauses:
  - {id: return-window, version: 2, text: "An item may be returned within 30 days of delivery.",
     valid_from: 2025-01-01, owner: care, verified_on: 2026-01-01, applies_to: [return_request]}
"""


def test_a_sentence_against_the_policy_is_named_with_its_article(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    ledger = load_policy(tmp_path / "policy.yaml")
    right = passage("You can return an item within 30 days of delivery.", title="Returns")
    wrong = passage(
        "Our parcels are brown. You can return an item within 60 days of delivery.",
        title="Return in a sale",
        heading="How",
    )
    german = passage("Die Rückgabe ist innerhalb von 14 Tagen nach Erhalt möglich.", title="Rückgabe", language="de")
    found = [c for one in (right, wrong, german) for c in conflicts_in(one.passage, ledger, TODAY)]
    assert [(one.article, one.heading, one.sentence) for one in found] == [
        ("return-in-a-sale", "How", "You can return an item within 60 days of delivery."),
        ("rückgabe", "", "Die Rückgabe ist innerhalb von 14 Tagen nach Erhalt möglich."),
    ]
    assert found[0].reason.startswith("the policy says 30 days, not 60 days (return-window v2)")
    before = conflicts_in(wrong.passage, ledger, date(2024, 12, 31))
    assert not list(before), "a clause that is not in force yet says nothing"


def test_the_demos_articles_say_what_its_ledger_says() -> None:
    articles = load_folder(shop.ARTICLES).articles
    passages = [one for article in articles for one in passages_of(article, DEFAULT_WORKSPACE)]
    ledger = load_policy(shop.POLICY)
    assert not [found for one in passages for found in conflicts_in(one, ledger, TODAY)]


class Counting(MemoryPassageStore):
    """Counts how often passages are read for a comparison."""

    reads = 0

    def __init__(self) -> None:
        super().__init__()
        self.readable = asyncio.Event()
        self.readable.set()

    async def passages_of(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> tuple[Passage, ...]:
        await self.readable.wait()
        self.reads += 1
        return await super().passages_of(workspace, article_ids)

    async def hold(self, folder: Path, days: int) -> None:
        """Store one article that promises so many days."""
        (folder / "returns.md").write_text(f"# Returns\n\nYou can return an item within {days} days of delivery.\n")
        articles = load_folder(folder).articles
        chunked = [ChunkedArticle(one, passages_of(one, DEFAULT_WORKSPACE)) for one in articles]
        await self.replace_articles(DEFAULT_WORKSPACE, chunked)


@pytest.fixture
def ledger(tmp_path: Path) -> PolicyLedger:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return load_policy(tmp_path / "policy.yaml")


async def test_they_are_looked_for_once_a_state_of_articles_and_a_day(tmp_path: Path, ledger: PolicyLedger) -> None:
    store = Counting()
    conflicts = ArticleConflicts(store, ledger)
    await store.hold(tmp_path, 60)
    for _ in range(3):
        found = await conflicts.found(DEFAULT_WORKSPACE, TODAY, patience=None)
        assert found is not None
        assert [one.sentence for one in found] == ["You can return an item within 60 days of delivery."]
    assert store.reads == 1
    assert await conflicts.found(DEFAULT_WORKSPACE, date(2024, 12, 31), patience=None) == ()
    await store.hold(tmp_path, 30)
    assert await conflicts.found(DEFAULT_WORKSPACE, TODAY, patience=None) == ()
    assert store.reads == 3


async def test_a_page_does_not_wait_and_finds_them_later(tmp_path: Path, ledger: PolicyLedger) -> None:
    store = Counting()
    await store.hold(tmp_path, 60)
    conflicts = ArticleConflicts(store, ledger)
    store.readable.clear()
    waiting = await conflicts.found(DEFAULT_WORKSPACE, TODAY, patience=0)
    assert waiting is None
    assert "being compared" in shown_conflicts(waiting).note
    store.readable.set()
    found = await conflicts.found(DEFAULT_WORKSPACE, TODAY, patience=None)
    assert (found and len(found), store.reads) == (1, 1)
    await conflicts.close()


async def test_without_a_policy_nothing_is_read() -> None:
    store = Counting()
    conflicts = ArticleConflicts(store, PolicyLedger(version="none"))
    assert (await conflicts.found(DEFAULT_WORKSPACE, TODAY, patience=None), store.reads) == ((), 0)


def test_a_page_lists_the_first_and_counts_the_others(ledger: PolicyLedger) -> None:
    one = passage("You can return an item within 60 days of delivery.", title="Return in a sale", heading="How").passage
    found = tuple(conflicts_in(one, ledger, TODAY)) * 23
    view = shown_conflicts(found)
    assert (len(view.rows), view.rows[0].where) == (20, "return-in-a-sale › How")
    assert view.note.startswith("3 more: ")
    assert conflict_figures(found)[0].value == "23"
    assert not conflict_figures(())
    assert shown_conflicts(()).note == ""

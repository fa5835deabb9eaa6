"""`kb sync`: a folder of Markdown into stored articles and passages; it stores differences and never prints."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.knowledge import Article
from support_agents.knowledge.chunking import passages_of
from support_agents.knowledge.indexing import Progress, silent
from support_agents.knowledge.loaders import BrokenFile, Loaded, load_folder
from support_agents.ports import ChunkedArticle, PassageStore

BATCH = 20
_WANTED = (
    "give the folder that the files are in; for one export of Zendesk `zendesk-export FILE`, "
    "for a list of addresses --fetch FILE"
)


@dataclass(frozen=True)
class Synced:
    """What a sync did, in articles; `passages` counts those stored anew; `broken` files were left out."""

    added: int
    changed: int
    unchanged: int
    removed: int
    passages: int
    broken: tuple[BrokenFile, ...]


class KnowledgeSync:
    """Loads a folder, compares by content hash, stores what is new or changed, deletes what is gone."""

    def __init__(self, passages: PassageStore, language: str = "en") -> None:
        """`language` is the account's, for articles of which neither file nor text tells theirs."""
        self._passages, self._language = passages, language

    async def sync(self, folder: Path, workspace: WorkspaceId, progress: Progress = silent) -> Synced:
        """Make the stored articles equal to the folder's; safe to repeat and to interrupt."""
        return await self.store(await asyncio.to_thread(read_folder, folder), workspace, progress)

    async def store(self, loaded: Loaded, workspace: WorkspaceId, progress: Progress = silent) -> Synced:
        """Make the stored articles equal to these; articles already stored are not stored again after an interrupt."""
        stored = await self._passages.article_hashes(workspace)
        articles = map(self._spoken, loaded.articles)
        changed = [article for article in articles if stored.get(article.id) != article.content_hash]
        passages = 0
        for start in range(0, len(changed), BATCH):
            progress(start, len(changed))
            chunked = await asyncio.to_thread(_chunk, changed[start : start + BATCH], workspace)
            await self._passages.replace_articles(workspace, chunked)
            passages += sum(len(article.passages) for article in chunked)
        removed = _gone(stored, loaded)
        if removed:
            await self._passages.delete_articles(workspace, removed)
        progress(len(changed), len(changed))
        added = sum(article.id not in stored for article in changed)
        return Synced(
            added=added,
            changed=len(changed) - added,
            unchanged=len(loaded.articles) - len(changed),
            removed=len(removed),
            passages=passages,
            broken=loaded.broken,
        )

    def _spoken(self, article: Article) -> Article:
        """An article that does not tell its language in the account's; another one there makes it another article."""
        if article.language:
            return article
        content_hash = hashlib.sha256(f"{article.content_hash} {self._language}".encode()).hexdigest()
        return article.model_copy(update={"language": self._language, "content_hash": content_hash})


def read_folder(folder: Path) -> Loaded:
    """Read a folder whole; blocks the calling thread."""
    if not folder.is_dir():
        raise SupportError("no_such_folder", f"{folder} is not a folder of articles; {_WANTED}")
    return load_folder(folder)


def _chunk(articles: Sequence[Article], workspace: WorkspaceId) -> list[ChunkedArticle]:
    return [ChunkedArticle(article, passages_of(article, workspace)) for article in articles]


def _gone(stored: Iterable[str], loaded: Loaded) -> list[str]:
    """List stored articles that the folder no longer has; one whose file is broken keeps its last good version.

    While a file that held many cannot be read, nobody knows which these were, and nothing is deleted.
    """
    if any(not broken.article_id for broken in loaded.broken):
        return []
    present = {article.id for article in loaded.articles} | {broken.article_id for broken in loaded.broken}
    return [article_id for article_id in stored if loaded.owns(article_id) and article_id not in present]

"""Keeps the macros in step with the knowledge base: bound anew when that changes; it chooses and writes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from support_agents.composing.binding import Refused, bind
from support_agents.composing.choosing import Shelf
from support_agents.composing.explaining import Vocabulary
from support_agents.composing.matching import Matcher
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.knowledge import Passage
from support_agents.domain.macro import BoundMacro, Macro
from support_agents.ports import Embedder, PassageStore, VectorStore
from support_agents.wording.filler import filler_of


@dataclass(frozen=True)
class Shelves:
    """The macros of every language at one state of the knowledge base, `passages` of it."""

    index_version: str
    passages: tuple[Passage, ...]
    by_language: dict[str, Shelf]
    refused: tuple[Refused, ...]


@dataclass
class MacroShelf:
    """Gives out the macros that may be used now; `embedder` may know the vectors of the example questions already."""

    macros: tuple[Macro, ...]
    passages: PassageStore
    index: VectorStore
    embedder: Embedder
    _bound: dict[WorkspaceId, Shelves] = field(default_factory=dict, init=False)
    _binding: dict[WorkspaceId, asyncio.Task[Shelves]] = field(default_factory=dict, init=False)

    async def current(self, workspace: WorkspaceId) -> Shelves:
        """Return the macros as bound to the articles that are indexed now.

        Whoever gives up waiting does not stop the work: the next message finds it done.
        """
        version = self.index.version
        known = self._bound.get(workspace)
        if known is not None and known.index_version == version:
            return known
        task = self._binding.get(workspace)
        if task is None or task.done():
            task = self._binding[workspace] = asyncio.create_task(self._bind(workspace, version))
        return await asyncio.shield(task)

    async def settled(self, workspace: WorkspaceId) -> Shelves:
        """Return them as bound to the index when that has come to rest.

        What a message had begun to bind may be of the state before; a message takes that, for it has no time.
        """
        while (shelves := await self.current(workspace)).index_version != self.index.version:
            pass
        return shelves

    async def _bind(self, workspace: WorkspaceId, version: str) -> Shelves:
        wanted = sorted({article for macro in self.macros for article in macro.articles})
        found = tuple(await self.passages.passages_of(workspace, wanted))
        before = self._bound.get(workspace)
        if before is not None and before.passages == found:
            # The index changed, and nothing that a macro rests on.
            self._bound[workspace] = replace(before, index_version=version)
            return self._bound[workspace]
        bound = await asyncio.to_thread(bind, self.macros, found)
        languages = sorted({one.macro.language for one in bound.macros})
        shelves = {
            language: await self._shelf([one for one in bound.macros if one.macro.language == language])
            for language in languages
        }
        self._bound[workspace] = Shelves(version, found, shelves, bound.refused)
        return self._bound[workspace]

    async def _shelf(self, bound: Sequence[BoundMacro]) -> Shelf:
        macros = [one.macro for one in bound]
        questions = [question for macro in macros for question in macro.questions]
        vectors = np.asarray(await self.embedder.embed(questions), dtype=np.float32)
        matcher = await asyncio.to_thread(Matcher.of, macros, vectors)
        return Shelf(tuple(bound), matcher, Vocabulary.of(bound, filler_of(macros[0].language)))

"""The work of `kb vectors`: embeds a folder's passages and sentences into a file; the knowledge base is not touched."""

from collections.abc import Sequence
from pathlib import Path

from api.cli.installation import configured
from api.cli.output import results
from api.engines import embedding
from support_agents.composing.candidates import candidates_of
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.chunking import passages_of, searchable
from support_agents.knowledge.known_vectors import save
from support_agents.knowledge.loaders import load_folder
from support_agents.knowledge.macros import load_macros
from support_agents.wording.outlines import all_lines


async def write_vectors(folder: Path, out: Path, macros: Path | None) -> None:
    """Write the vectors of every passage below `folder`, and of the example questions of macros."""
    articles = load_folder(folder).articles
    passages = [passage for article in articles for passage in passages_of(article, DEFAULT_WORKSPACE)]
    texts = [*map(searchable, passages), *compared(passages), *all_lines(), *questions(macros)]
    with embedding(configured()) as embedder:
        await save(texts, embedder, out)
    results().print(f"{len(passages)} passages and their sentences, {len(texts)} texts in all → {out}", markup=False)


def compared(passages: Sequence[Passage]) -> list[str]:
    """Return what drafting compares of these passages."""
    return [text for passage in passages for one in candidates_of(passage, 0) for text in one.compared]


def questions(macros: Path | None) -> list[str]:
    """Return the example questions of a folder of macros."""
    return [question for macro in load_macros(macros) for question in macro.questions] if macros else []

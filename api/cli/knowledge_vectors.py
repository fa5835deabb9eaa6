"""The work of `kb vectors`: embeds a folder's passages into a file; the knowledge base is not touched."""

from pathlib import Path

from api.bootstrap import embedding
from api.cli.installation import configured
from api.cli.output import results
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.chunking import passages_of, searchable
from support_agents.knowledge.known_vectors import save
from support_agents.knowledge.loaders import load_folder


async def write_vectors(folder: Path, out: Path) -> None:
    """Write the vectors of every passage below `folder`."""
    articles = load_folder(folder).articles
    texts = [searchable(passage) for article in articles for passage in passages_of(article, DEFAULT_WORKSPACE)]
    with embedding(configured()) as embedder:
        await save(texts, embedder, out)
    results().print(f"{len(texts)} passages of {len(articles)} articles → {out}", markup=False)

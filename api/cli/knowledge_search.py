"""The work of `kb search`: asks the running server, else opens the data folder itself."""

import asyncio
from collections.abc import Sequence

from pydantic import ValidationError
from rich.text import Text

from api.cli.client import running
from api.cli.indexing import index_in_step
from api.cli.installation import configured, opened
from api.cli.output import remarks, results
from api.schemas import SearchBody, SearchRequest
from api.settings import Settings
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import RetrievedPassage


def show_found(query: str, *, limit: int) -> None:
    """Print what is found, best first, with article, heading and similarity."""
    settings, asked = configured(), _checked(query, limit)
    client = running(settings)
    if client is not None:
        answer = client.post("/v1/knowledge/search", asked.model_dump())
        found = SearchBody.model_validate(answer).passages
    else:
        found = asyncio.run(_search(settings, asked))
    _print(found)


def _checked(query: str, limit: int) -> SearchRequest:
    """The same request, and the same refusal, with a server and without one."""
    try:
        return SearchRequest(query=query, limit=limit)
    except ValidationError as error:
        raise SupportError(
            "query_wrong", f"the query {error.errors()[0]['msg'].removeprefix('Value error, ')}"
        ) from None


async def _search(settings: Settings, asked: SearchRequest) -> tuple[RetrievedPassage, ...]:
    async with opened(settings) as container:
        await index_in_step(container)
        return await container.asking.search(asked.query, DEFAULT_WORKSPACE, limit=asked.limit)


def _print(found: Sequence[RetrievedPassage]) -> None:
    if not found:
        remarks().print("nothing found; is there anything? `support-agents kb sync PATH` brings articles in")
        return
    console = results()
    for item in found:
        passage = item.passage
        heading = f" › {passage.heading}" if passage.heading else ""
        head = Text(f"{item.similarity:.2f}  {passage.article_id}{heading}  ({passage.audience}, {passage.language})")
        head.stylize("bold cyan")
        console.print(head)
        console.print(Text(passage.text), soft_wrap=True)
        console.print()

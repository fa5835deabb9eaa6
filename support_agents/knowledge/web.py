"""Pages that a sitemap or a list names as articles; they are fetched only because a person asked for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from support_agents.domain.errors import Failed, SupportError
from support_agents.knowledge.indexing import Progress
from support_agents.knowledge.loaders import Loaded, Origin, Read, gathered, parsed
from support_agents.knowledge.parsing.parser import FileParser
from support_agents.ports import PageSource

MOST_PAGES = 10_000
_AT_ONCE = 4


@dataclass(frozen=True)
class WebPages:
    """Reads listed pages, a few at a time; the address is the article's id."""

    source: PageSource

    async def load(self, listing: Path, progress: Progress) -> Loaded:
        """Fetch and parse every page of a sitemap (XML) or of a list with one address a line."""
        with FileParser() as parser:
            addresses = await asyncio.to_thread(_addresses, parser, listing)
            files: list[Read] = []
            for start in range(0, len(addresses), _AT_ONCE):
                progress(start, len(addresses))
                files += await self._read(parser, addresses[start : start + _AT_ONCE])
            progress(len(addresses), len(addresses))
        return replace(gathered(files), origin=Origin.WEB)

    async def _read(self, parser: FileParser, addresses: Sequence[str]) -> list[Read]:
        fetched = await asyncio.gather(*map(self.source.fetch, addresses))
        return [
            Read(address, page, address)
            if isinstance(page, Failed)
            else await asyncio.to_thread(parsed, parser, "html", address, page.value)
            for address, page in zip(addresses, fetched, strict=True)
        ]


def _addresses(parser: FileParser, listing: Path) -> tuple[str, ...]:
    try:
        content = listing.read_bytes()
    except OSError as error:
        raise SupportError("list_unreadable", f"cannot read {listing}: {error.strerror}; check the path") from error
    found = parser.parse("sitemap", listing.name, content)
    if isinstance(found, Failed):
        raise SupportError("list_unreadable", f"{listing} {found.message}; give a sitemap or one address a line")
    addresses = tuple(dict.fromkeys(one.key for one in found.value))
    if len(addresses) > MOST_PAGES:
        raise SupportError("too_many_pages", f"{listing} names {len(addresses)} pages; split it into {MOST_PAGES}")
    return addresses

"""Articles, their passages, and what a draft cites of them."""

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.ids import PassageId, WorkspaceId


class Audience(StrEnum):
    """Who may read an article; an internal one is never quoted."""

    PUBLIC = "public"
    INTERNAL = "internal"


class Article(BaseModel):
    """One knowledge document with its Markdown body (without front matter)."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    body: str
    audience: Audience = Audience.PUBLIC
    language: str = Field(default="en", description="ISO 639-1; empty as long as neither file nor text tells")
    updated: date | None = None
    verified_until: date | None = Field(default=None, description="last day on which it is known to be right")
    content_hash: str = Field(description="SHA-256 of front matter and body, hex")


class Passage(BaseModel):
    """A retrievable piece of an article: the text below one heading, plain, sentences whole."""

    model_config = ConfigDict(frozen=True)

    id: PassageId
    workspace: WorkspaceId
    article_id: str
    title: str = Field(description="the article's title")
    heading: str = Field(default="", description="headings above the text, joined by ' › '")
    text: str
    audience: Audience
    language: str
    content_hash: str
    verified_until: date | None = Field(default=None, description="as of its article")


class RetrievedPassage(BaseModel):
    """A passage with its fused score; the text is a snapshot, so a later edit cannot change the record."""

    model_config = ConfigDict(frozen=True)

    passage: Passage
    score: float = Field(description="fused, higher is better; comparable within one query only")
    similarity: float = Field(description="cosine to the query, -1..1; what the relevance floor looks at")
    addresses: float | None = Field(
        default=None, description="how sure (0..1) it is that the passage answers the message; None: not judged"
    )
    stale: bool = Field(default=False, description="past the day until which its article was verified")


class Citation(BaseModel):
    """Where a sentence's claim stands: `quote` is verbatim in the passage."""

    model_config = ConfigDict(frozen=True)

    passage_id: PassageId
    article_id: str
    title: str
    quote: str

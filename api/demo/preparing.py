"""Fills a demo's database: the shop's articles and one operator; the server does everything after that."""

import secrets
from dataclasses import dataclass, field

from api.auth import Auth
from api.demo import shop
from support_agents.domain.approval import Role
from support_agents.domain.ids import DEFAULT_WORKSPACE, OperatorId
from support_agents.knowledge.sync import KnowledgeSync

EMAIL = "robin@hearthwell.example"
NAME = "Robin"


@dataclass(frozen=True)
class DemoOperator:
    """Who decides in a demo; the password exists in this process only."""

    id: OperatorId
    email: str
    password: str = field(repr=False)


async def load_articles(knowledge: KnowledgeSync) -> int:
    """Store the shop's articles and return how many passages they have."""
    synced = await knowledge.sync(shop.ARTICLES, DEFAULT_WORKSPACE)
    return synced.passages


async def add_operator(auth: Auth) -> DemoOperator:
    """Add the demo's manager."""
    password = secrets.token_urlsafe(16)
    operator = await auth.add_operator(DEFAULT_WORKSPACE, email=EMAIL, name=NAME, role=Role.MANAGER, password=password)
    return DemoOperator(operator, EMAIL, password)

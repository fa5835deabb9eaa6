"""Trying the running server out, and how far its index is, for the command line and for people; nothing is stored."""

from fastapi import APIRouter

from api.asking import Question
from api.deps import ContainerDep, ReaderDep, workspace_of
from api.errors import documented
from api.schemas import AskRequest, IndexBody, SearchBody, SearchRequest
from support_agents.domain.runs import RunRecord
from support_agents.domain.ticket import Requester

router = APIRouter(
    prefix="/v1", tags=["asking"], responses=documented("unauthenticated", "not_allowed", "invalid", "too_large")
)


@router.post("/ask")
async def ask(body: AskRequest, caller: ReaderDep, container: ContainerDep) -> RunRecord:
    """Run the pipeline on one message. The record looks like a ticket's; no request is made of it."""
    question = Question(
        text=body.text,
        subject=body.subject,
        requester=Requester(email=body.email, name=body.name, verified=body.verified),
        channel=body.channel,
        order_id=body.order_id,
        attachments=body.attachments,
    )
    return await container.asking.ask(question, workspace_of(caller))


@router.post("/knowledge/search")
async def search(body: SearchRequest, caller: ReaderDep, container: ContainerDep) -> SearchBody:
    """Find passages, internal ones too."""
    return SearchBody(passages=await container.asking.search(body.query, workspace_of(caller), limit=body.limit))


@router.get("/knowledge/index")
async def index(caller: ReaderDep, container: ContainerDep) -> IndexBody:
    """Compare the index with what is stored now; once a second is no burden."""
    found = await container.follower.standing(workspace_of(caller))
    indexed = found.stored - found.missing
    return IndexBody(
        stored=found.stored, indexed=indexed, surplus=found.surplus, in_step=found.in_step, steps=found.steps
    )

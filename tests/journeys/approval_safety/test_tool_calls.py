"""A language model that calls tools which nobody offered it: nothing is carried out, and nothing of it is sent."""

import shutil
from pathlib import Path
from time import monotonic

import pytest

from support_agents.adapters.anthropic import AnthropicModel
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import DEFAULT_WORKSPACE, RunId, new_id
from support_agents.domain.runs import Run
from support_agents.ports import Completed, Prompt, StopReason
from tests.journeys.approval_safety.house import open_house
from tests.peers.beside import beside
from tests.peers.llm_server import LlmServer, llm_server

MODEL = "tool-calls"


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_call_that_nobody_offered_is_no_answer(provider: str) -> None:
    async with llm_server() as server:
        model: OpenAiModel | AnthropicModel = (
            OpenAiModel(api_key="k", model=MODEL, base_url=server.openai_url)
            if provider == "openai"
            else AnthropicModel(api_key="k", model=MODEL, base_url=server.anthropic_url)
        )
        prompt = Prompt(agent="drafting", version="1", system="Be kind.", user="Where is it?", max_tokens=50)
        run = Run(RunId(new_id()), DEFAULT_WORKSPACE, Deadline(monotonic() + 20), Budget())
        *said, end = [item async for item in model.stream(prompt, run)]
        await model.close()
    assert isinstance(end, Completed)
    assert end.stop is StopReason.CUT
    assert not any("issue_refund" in repr(item) or "EVIL" in repr(item) for item in said)
    assert not any("tools" in request or "tool_choice" in request for request in server.requests)


class Beside:
    """A language model's server on a thread of its own."""

    def __init__(self) -> None:
        self.server = LlmServer("")

    async def __aenter__(self) -> LlmServer:
        self._context = llm_server()
        self.server = await self._context.__aenter__()
        return self.server

    async def __aexit__(self, *error: object) -> None:
        await self._context.__aexit__(None, None, None)


@pytest.mark.long
def test_the_product_carries_out_nothing_that_its_model_calls_for(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "data" / "support.db"
    path.parent.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, path)
    peer = Beside()
    with beside(peer):
        model = {
            "SUPPORT_LLM_PROVIDER": "openai",
            "SUPPORT_LLM_MODEL": MODEL,
            "SUPPORT_LLM_API_KEY": "k",
            "SUPPORT_LLM_BASE_URL": peer.server.openai_url,
        }
        with open_house(tmp_path, f"sqlite+aiosqlite:///{path}", None, **model) as house:
            case = house.case()
            case.says("How long may I send an item back?")
            case.finished()
            assert peer.server.requests != []
            assert (case.timeline["executions"], case.effects) == ([], 0)
            for request in case.requests():
                canonical = house.shown(request)["canonical"]
                assert "EVIL" not in canonical
                assert request["kind"] == "send_reply"

"""The model adapters and the writer against servers that others wrote; skipped where these are not installed.

`make peers` installs both. SUPPORT_TEST_LLMOCK names another llmock, SUPPORT_TEST_NODE_MODULES a folder with aimock.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from api.settings import load
from api.writers import writing_of
from support_agents.adapters.anthropic import AnthropicModel
from support_agents.adapters.openai.chat import OpenAiModel
from support_agents.adapters.openai.responses import OpenAiResponsesModel
from support_agents.domain.errors import SupportError
from support_agents.ports import Completed, LanguageModel, StopReason, TextDelta
from tests.contracts.test_language_model import PROMPT, run
from tests.peers.independent import MODULES, NODE

_INSTALLED = Path(__file__).parents[1] / "peers" / "python" / ".venv" / "bin" / "llmock"
LLMOCK = os.environ.get("SUPPORT_TEST_LLMOCK", "") or (str(_INSTALLED) if _INSTALLED.exists() else "")
AIMOCK = MODULES / "@copilotkit" / "aimock"
pytestmark = pytest.mark.slow
SAID = "You can return an item within 30 days of delivery. It must be unused."
PATIENCE = 120.0  # on a busy machine as well: these are about what is heard, not how soon


@contextmanager
def served(*words: str) -> Iterator[str]:
    """Run a program that takes `{port}` until left; give out its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([word.format(port=port) for word in words], stdout=quiet, stderr=quiet)
    try:
        for _ in range(600):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"{words[0]} does not listen")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def llmock() -> Iterator[str]:
    if not LLMOCK:
        pytest.skip("run `make peers` first")
    with served(LLMOCK, "serve", "--port", "{port}") as address:
        yield address


@pytest.fixture
def llmock_alone() -> Iterator[str]:
    """One that nobody else has asked: its verdict is on all of its clients together."""
    if not LLMOCK:
        pytest.skip("run `make peers` first")
    with served(LLMOCK, "serve", "--port", "{port}") as address:
        yield address


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    node = str(NODE) if NODE.is_file() else shutil.which("node")
    if not AIMOCK.is_dir() or node is None:
        pytest.skip("run `make peers` first")
    fixtures = tmp_path_factory.mktemp("aimock")
    rows = [{"match": {"userMessage": PROMPT.user}, "response": {"content": SAID}}]
    (fixtures / "said.json").write_text(json.dumps({"fixtures": rows}), encoding="utf-8")
    with served(node, str(AIMOCK / "dist" / "cli.js"), "-p", "{port}", "-f", str(fixtures)) as address:
        yield address


def told(address: str, *behaviours: dict[str, Any]) -> None:
    """Tell llmock what the next requests are to meet."""
    body = json.dumps({"behaviors": list(behaviours)}).encode()
    asked = Request(f"{address}/_llmock/scenario", body, {"content-type": "application/json"}, method="POST")  # noqa: S310 - loopback
    urlopen(asked, timeout=10).close()  # noqa: S310 - loopback


def verdict_of(address: str) -> dict[str, Any]:
    """What llmock thinks of its client."""
    with urlopen(f"{address}/_llmock/verdict", timeout=10) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.load(answer)
    return found


def reply() -> dict[str, Any]:
    return {"type": "reply", "text": SAID}


def made(wire: str, address: str) -> OpenAiModel | AnthropicModel | OpenAiResponsesModel:
    match wire:
        case "openai":
            return OpenAiModel(api_key="k", model="gpt-5", base_url=f"{address}/v1")
        case "responses":
            return OpenAiResponsesModel(api_key="k", model="gpt-5", base_url=f"{address}/v1")
        case _:
            return AnthropicModel(api_key="k", model="claude-haiku-4-5", base_url=address)


async def heard(model: LanguageModel, seconds: float = PATIENCE) -> tuple[str, Completed]:
    *deltas, end = [item async for item in model.stream(PROMPT, run(seconds))]
    assert isinstance(end, Completed)
    return "".join(item.text for item in deltas if isinstance(item, TextDelta)), end


@pytest.mark.parametrize("wire", ["openai", "responses", "anthropic"])
async def test_a_whole_answer_of_aimock_is_heard_whole(aimock: str, wire: str) -> None:
    model = made(wire, aimock)
    said, end = await heard(model)
    await model.close()
    assert (said, end.stop) == (SAID, StopReason.COMPLETE)


def at(wire: str, address: str) -> str:
    return f"{address}/anthropic" if wire == "anthropic" else address


@pytest.mark.parametrize("wire", ["openai", "responses", "anthropic"])
async def test_a_whole_answer_of_llmock_is_heard_whole(llmock: str, wire: str) -> None:
    told(llmock, reply())
    model = made(wire, at(wire, llmock))
    said, end = await heard(model)
    await model.close()
    assert (said.strip(), end.stop) == (SAID, StopReason.COMPLETE)
    assert end.tokens_out > 0


STATUSES = {401: "llm_auth", 403: "llm_auth", 429: "llm_rate_limited", 500: "llm_unavailable", 529: "llm_overloaded"}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_an_error_of_llmock_is_what_it_is_everywhere(llmock: str, wire: str, status: int) -> None:
    told(llmock, {"type": "fail", "status": status})
    model = made(wire, at(wire, llmock))
    with pytest.raises(SupportError) as caught:
        await heard(model)
    await model.close()
    assert caught.value.code == STATUSES[status]


@pytest.mark.parametrize("fault", ["disconnect", "truncate", "malformed"])
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_a_stream_that_breaks_is_never_a_whole_answer(llmock: str, wire: str, fault: str) -> None:
    told(llmock, reply(), {"type": "stream_fault", "kind": fault, "after_chunks": 3})
    model = made(wire, at(wire, llmock))
    ended = await how_it_ended(model)
    await model.close()
    assert ended in {"cut", "llm_broken_stream", "llm_bad_response"}


async def how_it_ended(model: LanguageModel) -> str:
    """The code of an error, or why the model stopped."""
    try:
        _, end = await heard(model)
    except SupportError as error:
        return error.code
    return end.stop.value


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_a_stream_that_stalls_ends_with_the_run(llmock: str, wire: str) -> None:
    told(llmock, reply(), {"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 8})
    model = made(wire, at(wire, llmock))
    with pytest.raises(SupportError) as caught:
        await heard(model, 2.0)
    await model.close()
    assert caught.value.code == "llm_timeout"


def written(address: str, tmp_path: Path) -> dict[str, object]:
    return {
        "data_dir": tmp_path,
        "llm_provider": "openai",
        "llm_model": "gpt-5",
        "llm_base_url": f"{address}/v1",
        "llm_api_key": "k",
    }


async def test_llmock_has_nothing_to_say_against_the_writer(llmock_alone: str, tmp_path: Path) -> None:
    """Of streams that were cut it wants another call; ours keep the whole sentences that were said (decision 52)."""
    writing = writing_of(load(written(llmock_alone, tmp_path)))
    assert writing.model is not None
    told(llmock_alone, {"type": "fail", "status": 429, "retry_after": 1}, reply())
    said, end = await heard(writing.model)
    assert (said.strip(), end.stop) == (SAID, StopReason.COMPLETE), "it waited as long as it was told, and asked again"
    for close in writing.closing:
        await close()
    verdict = verdict_of(llmock_alone)
    assert verdict["faults_injected"] == 1
    assert verdict["passed"], verdict["findings"]

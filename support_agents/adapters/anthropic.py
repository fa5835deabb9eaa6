"""A language model behind Anthropic's messages; it keeps no conversation and calls no tools."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx2

from support_agents.adapters.model_connections import http_client
from support_agents.adapters.model_faults import UNREADABLE, fault, fault_of
from support_agents.adapters.model_usage import completed, tokens
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.ports import Completed, Prompt, StopReason, TextDelta

OFFICIAL = "https://api.anthropic.com"
_STOPS = {
    "end_turn": StopReason.COMPLETE,
    "stop_sequence": StopReason.COMPLETE,
    "max_tokens": StopReason.MAX_TOKENS,
    "model_context_window_exceeded": StopReason.MAX_TOKENS,
    "refusal": StopReason.REFUSED,
}
# The one tool there is where an answer in a schema is asked for: calling it is the answer.
_ANSWER = "answer"
_ASKED_FOR = "tool_use"
_OK = 200
# Events as they are, not as the SDK's models: making those takes ten times as long as all the rest of an event's way.
_Events = anthropic.AsyncStream[object]


class AnthropicModel:
    """`LanguageModel` over streaming messages; no retries of its own, time limits from the run's deadline."""

    def __init__(self, *, api_key: str, model: str, base_url: str = OFFICIAL) -> None:
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            http_client=http_client(anthropic.DefaultAsyncHttpxClient),
        )
        self._model = model

    @property
    def name(self) -> str:
        """Provider and model, as recorded."""
        return f"anthropic:{self._model}"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield deltas, then `Completed`; one that does not end as it should is `CUT`, one without text an error."""
        heard = _Heard(structured=prompt.answer_schema is not None)
        try:
            events = await self._opened(prompt, run)
            heard.opened = True
            async with events:
                async for received in events:
                    event = received if isinstance(received, dict) else {}
                    heard.take(event)
                    if run.deadline.passed:
                        raise fault("llm_timeout")
                    if text := _text(event, prompt):
                        heard.spoke = True
                        yield TextDelta(text)
        except (anthropic.AnthropicError, httpx2.HTTPError, *UNREADABLE) as error:
            raise _fault(error, opened=heard.opened) from None
        completed = heard.completed()
        if not heard.spoke and completed.stop in {StopReason.CUT, StopReason.COMPLETE}:
            raise fault("llm_bad_response")
        yield completed

    async def _opened(self, prompt: Prompt, run: Run) -> _Events:
        """Send the request, its system text marked for the cache; this API takes no temperature."""
        if run.deadline.passed:
            raise fault("llm_timeout")
        body = {
            "model": self._model,
            "system": [{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": prompt.user}],
            "max_tokens": prompt.max_tokens,
            "stream": True,
            **_tool(prompt),
        }
        return await self._client.post(
            "/v1/messages",
            cast_to=object,
            body=body,
            options={"timeout": run.deadline.remaining},
            stream=True,
            stream_cls=_Events,
        )


def _tool(prompt: Prompt) -> dict[str, Any]:
    """Return the tool whose arguments are the answer, if one in a schema is asked for."""
    if prompt.answer_schema is None:
        return {}
    tool = {"name": _ANSWER, "description": "Give the answer.", "input_schema": dict(prompt.answer_schema)}
    return {"tools": [tool], "tool_choice": {"type": "tool", "name": _ANSWER, "disable_parallel_tool_use": True}}


class _Heard:
    """What a stream has told so far besides its text."""

    def __init__(self, *, structured: bool) -> None:
        self.opened = False
        self.spoke = False
        self._stops = {**_STOPS, _ASKED_FOR: StopReason.COMPLETE} if structured else _STOPS
        self._stop: str | None = None
        self._ended = False
        self._open_blocks = 0
        self._usage: dict[str, Any] = {}

    def take(self, event: dict[str, Any]) -> None:
        """Note the stop reason, the use of tokens and whether every block that began has ended."""
        match event.get("type"):
            case "message_start":
                self._count((event.get("message") or {}).get("usage"))
            case "content_block_start":
                self._open_blocks += 1
            case "content_block_stop":
                self._open_blocks -= 1
            case "message_delta":
                self._stop = (event.get("delta") or {}).get("stop_reason")
                self._count(event.get("usage"))
            case "message_stop":
                self._ended = True

    def _count(self, usage: object) -> None:
        """Later figures replace earlier ones; they are cumulative."""
        names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        told = usage if isinstance(usage, dict) else {}
        self._usage |= {name: value for name in names if (value := told.get(name)) is not None}

    def completed(self) -> Completed:
        """Return the end; input counts what came from the cache and what was put there as well."""
        whole = self._ended and not self._open_blocks and self._stop is not None
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        fresh, cached, to_cache = (tokens(self._usage.get(name)) for name in names)
        return completed(
            self._stops.get(self._stop or "", StopReason.CUT) if whole else StopReason.CUT,
            read=fresh + cached + to_cache,
            written=self._usage.get("output_tokens"),
            cached=cached,
            to_cache=to_cache,
        )


def _text(event: dict[str, Any], prompt: Prompt) -> str:
    """Return what belongs to the answer: prose, or the arguments of the tool that was asked for."""
    delta = event.get("delta") or {}
    kind, field = ("text_delta", "text") if prompt.answer_schema is None else ("input_json_delta", "partial_json")
    return str(delta.get(field) or "") if delta.get("type") == kind else ""


def _fault(error: Exception, *, opened: bool) -> SupportError:
    match error:
        case anthropic.APITimeoutError() | httpx2.TimeoutException():
            return fault("llm_timeout")
        case anthropic.APIConnectionError() | httpx2.HTTPError():
            return fault("llm_broken_stream" if opened else "llm_unreachable")
        case anthropic.APIStatusError():
            # An error inside of a stream comes with the stream's own status.
            status = 500 if error.status_code == _OK else error.status_code
            return fault_of(status, error.body, error.response.headers)
        case _:
            return fault("llm_bad_response")

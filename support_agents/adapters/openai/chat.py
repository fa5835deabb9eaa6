"""A language model behind OpenAI's chat completions, or any server that speaks them; it keeps no conversation."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import re2

from support_agents.adapters.model_connections import http_client
from support_agents.adapters.model_faults import UNREADABLE, fault, fault_of
from support_agents.adapters.model_usage import completed
from support_agents.adapters.openai.events import JsonEvents
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import Run
from support_agents.ports import Completed, Prompt, StopReason, TextDelta

OFFICIAL = "https://api.openai.com/v1"
_STOPS = {
    "stop": StopReason.COMPLETE,
    "length": StopReason.MAX_TOKENS,
    "content_filter": StopReason.REFUSED,
}
# What a server may refuse to be told, and under which other name it may want it.
_OTHER_NAMES = {
    "max_tokens": "max_completion_tokens",
    "temperature": None,
    "stream_options": None,
    "response_format": None,
}
_PARAMETERS = tuple(_OTHER_NAMES)


class OpenAiModel:
    """`LanguageModel` over streaming chat completions; no retries of its own, time limits from the run's deadline."""

    def __init__(self, *, api_key: str, model: str, base_url: str = OFFICIAL, provider: str = "openai") -> None:
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            http_client=http_client(openai.DefaultAsyncHttpxClient),
        )
        # Of a path the SDK would put the same address together at each call.
        base = self._client.base_url
        self._address = str(base.copy_with(raw_path=base.raw_path + b"chat/completions"))
        self._model = model
        self._provider = provider
        self._names: dict[str, str | None] = {name: name for name in _PARAMETERS}
        if base_url.rstrip("/") == OFFICIAL:
            self._names["max_tokens"] = "max_completion_tokens"

    @property
    def name(self) -> str:
        """Provider and model, as recorded."""
        return f"{self._provider}:{self._model}"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield deltas, then `Completed`; a stream without a finish reason is `CUT`, one without text an error."""
        heard = _Heard()
        try:
            stream = await self._opened(prompt, run)
            heard.opened = True
            async with stream:
                async for chunks in stream:
                    text = "".join(map(heard.take, chunks))
                    if run.deadline.passed:
                        raise fault("llm_timeout")
                    if text:
                        heard.spoke = True
                        yield TextDelta(text)
        except (openai.OpenAIError, httpx2.HTTPError, *UNREADABLE) as error:
            raise openai_fault(error, opened=heard.opened) from None
        if not heard.spoke and heard.stop in {StopReason.CUT, StopReason.COMPLETE}:
            raise fault("llm_bad_response")
        yield heard.completed()

    async def _opened(self, prompt: Prompt, run: Run) -> JsonEvents:
        """Send the request; a server that refuses a parameter is asked again without it, and remembered."""
        for _ in range(len(_PARAMETERS) + 1):
            try:
                return await self._client.post(
                    self._address,
                    cast_to=object,
                    body=self._request(prompt),
                    options={"timeout": _remaining(run)},
                    stream=True,
                    stream_cls=JsonEvents,
                )
            except openai.BadRequestError as error:
                if not self._adapt(f"{error.param or ''} {error.message}"):
                    raise
            except openai.InternalServerError:
                # Small servers fall over a schema instead of refusing it; without one they do answer.
                if prompt.answer_schema is None or self._names["response_format"] is None:
                    raise
                self._names["response_format"] = None
        raise fault("llm_bad_request")

    def _adapt(self, refusal: str) -> bool:
        """Rename or leave out the parameter that a refusal speaks of; False if it speaks of none."""
        for parameter, name in self._names.items():
            if name is not None and re2.search(rf"\b{name}\b", refusal):
                self._names[parameter] = _OTHER_NAMES[name] if name == parameter else None
                return True
        return False

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        values = {
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "stream_options": {"include_usage": True},
            "response_format": _format(prompt),
        }
        names = {parameter: name for parameter, name in self._names.items() if values[parameter] is not None}
        return {
            "model": self._model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "stream": True,
            **{name: values[parameter] for parameter, name in names.items() if name is not None},
        }


def _remaining(run: Run) -> float:
    """Seconds that a call may take; an error when there are none."""
    if run.deadline.passed:
        raise fault("llm_timeout")
    return run.deadline.remaining


def _format(prompt: Prompt) -> dict[str, Any] | None:
    """Return the wish for an answer in the prompt's schema."""
    if prompt.answer_schema is None:
        return None
    schema = {"name": "answer", "schema": dict(prompt.answer_schema), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


class _Heard:
    """What a stream has told so far besides its text."""

    def __init__(self) -> None:
        self.opened = False
        self.spoke = False
        self.stop = StopReason.CUT
        self._usage: dict[str, Any] = {}

    def take(self, chunk: object) -> str:
        """Note a finish reason, a refusal and the use of tokens; return the text. What is not as promised is passed."""
        if not isinstance(chunk, dict):
            return ""
        usage = chunk.get("usage")
        self._usage = usage if isinstance(usage, dict) and usage else self._usage
        choice: dict[str, Any] = next(iter(chunk.get("choices") or ()), {})
        delta = choice.get("delta") or {}
        if (reason := choice.get("finish_reason")) and self.stop is StopReason.CUT:
            self.stop = _STOPS.get(reason, StopReason.CUT)
        if delta.get("refusal"):
            self.stop = StopReason.REFUSED
        return str(delta.get("content") or "")

    def completed(self) -> Completed:
        """Return the end; figures that the server does not tell are 0."""
        usage = self._usage
        details = usage.get("prompt_tokens_details")
        return completed(
            self.stop,
            read=usage.get("prompt_tokens"),
            written=usage.get("completion_tokens"),
            cached=details.get("cached_tokens") if isinstance(details, dict) else None,
        )


def openai_fault(error: Exception, *, opened: bool) -> SupportError:
    """Return what an error of the SDK means; `opened` says whether an answer had begun."""
    match error:
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return fault("llm_timeout")
        case openai.APIConnectionError() | httpx2.HTTPError():
            return fault("llm_broken_stream" if opened else "llm_unreachable")
        case openai.APIStatusError():
            return fault_of(error.status_code, error.body, error.response.headers)
        case openai.APIResponseValidationError():
            return fault("llm_bad_response")
        case openai.APIError():
            return fault_of(500, error.body)
        case _:
            return fault("llm_bad_response")

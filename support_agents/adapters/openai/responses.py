"""A language model behind OpenAI's Responses; nothing is stored there and no conversation is kept."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx2
import openai
from openai.types.responses import ResponseStreamEvent, ResponseUsage

from support_agents.adapters.model_connections import http_client
from support_agents.adapters.model_faults import UNREADABLE, fault, fault_of
from support_agents.adapters.model_usage import completed
from support_agents.adapters.openai.chat import OFFICIAL, openai_fault
from support_agents.domain.runs import Run
from support_agents.ports import Completed, Prompt, StopReason, TextDelta

_INCOMPLETE = {"max_output_tokens": StopReason.MAX_TOKENS, "content_filter": StopReason.REFUSED}
_Events = openai.AsyncStream[ResponseStreamEvent]


class OpenAiResponsesModel:
    """`LanguageModel` over streaming Responses; no retries of its own, time limits from the run's deadline."""

    def __init__(self, *, api_key: str, model: str, base_url: str = "") -> None:
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url or OFFICIAL,
            max_retries=0,
            http_client=http_client(openai.DefaultAsyncHttpxClient),
        )
        self._model = model
        self._takes_temperature = True

    @property
    def name(self) -> str:
        """Provider and model, as recorded."""
        return f"openai:{self._model}"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def stream(self, prompt: Prompt, run: Run) -> AsyncIterator[TextDelta | Completed]:
        """Yield deltas, then `Completed`; a stream without its closing event is `CUT`, one without text an error."""
        heard = _Heard()
        try:
            events = await self._opened(prompt, run)
            heard.opened = True
            async with events:
                async for event in events:
                    heard.take(event)
                    if run.deadline.passed:
                        raise fault("llm_timeout")
                    if event.type == "response.output_text.delta" and event.delta:
                        heard.spoke = True
                        yield TextDelta(str(event.delta))
        except (openai.OpenAIError, httpx2.HTTPError, *UNREADABLE) as error:
            raise openai_fault(error, opened=heard.opened) from None
        if not heard.spoke and heard.stop in {StopReason.CUT, StopReason.COMPLETE}:
            raise fault("llm_bad_response")
        yield heard.completed()

    async def _opened(self, prompt: Prompt, run: Run) -> _Events:
        """Send the request; a model that takes no temperature is asked again without, and remembered."""
        try:
            return await self._sent(prompt, run)
        except openai.BadRequestError as error:
            if not self._takes_temperature or "temperature" not in f"{error.param or ''} {error.message}":
                raise
        self._takes_temperature = False
        return await self._sent(prompt, run)

    async def _sent(self, prompt: Prompt, run: Run) -> _Events:
        if run.deadline.passed:
            raise fault("llm_timeout")
        request: dict[str, Any] = {
            "model": self._model,
            "instructions": prompt.system,
            "input": prompt.user,
            "max_output_tokens": prompt.max_tokens,
            "store": False,
            "stream": True,
            "timeout": run.deadline.remaining,
        }
        if self._takes_temperature:
            request["temperature"] = prompt.temperature
        if prompt.answer_schema is not None:
            schema = {"type": "json_schema", "name": "answer", "schema": dict(prompt.answer_schema), "strict": True}
            request["text"] = {"format": schema}
        return cast("_Events", await self._client.responses.create(**request))


class _Heard:
    """What a stream has told so far besides its text."""

    def __init__(self) -> None:
        self.opened = False
        self.spoke = False
        self.stop = StopReason.CUT
        self._usage: ResponseUsage | None = None

    def take(self, event: ResponseStreamEvent) -> None:
        """Note the end, a refusal and the use of tokens; raise what the provider reports inside of the stream."""
        match event.type:
            case "response.completed":
                self._usage = event.response.usage
                self.stop = StopReason.COMPLETE if self.stop is StopReason.CUT else self.stop
            case "response.incomplete":
                self._usage = event.response.usage
                details = event.response.incomplete_details
                self.stop = _INCOMPLETE.get((details and details.reason) or "", StopReason.CUT)
            case "response.refusal.delta":
                self.stop = StopReason.REFUSED
            case "response.failed":
                error = event.response.error
                raise fault_of(500, {"code": error.code if error else None})
            case "error":
                raise fault_of(500, {"code": event.code})

    def completed(self) -> Completed:
        """Return the end; figures that the server does not tell are 0."""
        usage = self._usage  # the SDK builds it without a look at what is in it
        details = getattr(usage, "input_tokens_details", None)
        return completed(
            self.stop,
            read=getattr(usage, "input_tokens", None),
            written=getattr(usage, "output_tokens", None),
            cached=getattr(details, "cached_tokens", None),
        )

"""The events of OpenAI's chat completions and Responses and of Anthropic's Messages; it sends and waits for nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.peers.model_weather import Fault

_CHARACTERS_A_TOKEN = 4


class Wire(StrEnum):
    """Which of the three a request speaks, by the end of its path."""

    CHAT = "/chat/completions"
    RESPONSES = "/responses"
    MESSAGES = "/messages"


@dataclass(frozen=True)
class Asked:
    """A request, read alike for all three wires."""

    wire: Wire
    body: dict[str, Any]

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def streams(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def system(self) -> str:
        if self.wire is Wire.MESSAGES:
            return _text(self.body.get("system", ""))
        if self.wire is Wire.RESPONSES:
            return str(self.body.get("instructions") or "")
        return "\n".join(_text(one["content"]) for one in self.body.get("messages", []) if one["role"] == "system")

    @property
    def user(self) -> str:
        if self.wire is Wire.RESPONSES:
            given = self.body.get("input", "")
            return given if isinstance(given, str) else "\n".join(_text(one["content"]) for one in given)
        return "\n".join(_text(one["content"]) for one in self.body.get("messages", []) if one["role"] == "user")

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer is asked for in, however the wire names it."""
        found: dict[str, Any] | None = None
        match self.wire:
            case Wire.CHAT:
                found = (self.body.get("response_format") or {}).get("json_schema", {}).get("schema")
            case Wire.RESPONSES:
                found = (self.body.get("text") or {}).get("format", {}).get("schema")
            case Wire.MESSAGES:
                found = next((tool.get("input_schema") for tool in self.body.get("tools") or ()), None)
        return found

    @property
    def limit(self) -> int | None:
        names = ("max_tokens", "max_completion_tokens", "max_output_tokens")
        return next((int(self.body[name]) for name in names if self.body.get(name)), None)

    @property
    def tokens_in(self) -> int:
        return max(1, (len(self.system) + len(self.user)) // _CHARACTERS_A_TOKEN)

    @property
    def cached(self) -> int:
        """Tokens served from the cache: what an Anthropic request marks as such."""
        marked = self.wire is Wire.MESSAGES and "cache_control" in json.dumps(self.body.get("system", ""))
        return len(self.system) // _CHARACTERS_A_TOKEN if marked else 0


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(str(part.get("text", "")) for part in content)


def opening(asked: Asked) -> list[str]:
    """Events before the first token."""
    match asked.wire:
        case Wire.CHAT:
            return [_chat(asked, {"role": "assistant", "content": ""})]
        case Wire.RESPONSES:
            return [_response(asked, "response.created", status="in_progress")]
        case Wire.MESSAGES:
            usage = {"input_tokens": asked.tokens_in - asked.cached, "output_tokens": 1}
            message: dict[str, Any] = {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": asked.model,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {**usage, "cache_read_input_tokens": asked.cached, "cache_creation_input_tokens": 0},
            }
            block: dict[str, Any] = {"type": "text", "text": ""}
            if asked.schema is not None:
                block = {"type": "tool_use", "id": "toolu_1", "name": asked.body["tools"][0]["name"], "input": {}}
            start = {"type": "content_block_start", "index": 0, "content_block": block}
            return [_event({"type": "message_start", "message": message}), _event({"type": "ping"}), _event(start)]


def piece(asked: Asked, text: str) -> str:
    """The event of one token."""
    match asked.wire:
        case Wire.CHAT:
            return _chat(asked, {"content": text})
        case Wire.RESPONSES:
            place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
            return _event({"type": "response.output_text.delta", **place, "delta": text, "logprobs": []})
        case Wire.MESSAGES:
            delta = {"type": "text_delta", "text": text}
            if asked.schema is not None:
                delta = {"type": "input_json_delta", "partial_json": text}
            return _event({"type": "content_block_delta", "index": 0, "delta": delta})


def closing(asked: Asked, tokens: int, fault: Fault) -> list[str]:
    """Events after the last token; `fault` tells a refusal, a filter and a full answer from a whole one."""
    match asked.wire:
        case Wire.CHAT:
            return list(_chat_closing(asked, tokens, fault))
        case Wire.RESPONSES:
            return list(_response_closing(asked, tokens, fault))
        case Wire.MESSAGES:
            whole = "tool_use" if asked.schema is not None else "end_turn"
            reasons = {Fault.REFUSAL: "refusal", Fault.FILTERED: "refusal", Fault.MAX_TOKENS: "max_tokens"}
            delta = {"stop_reason": reasons.get(fault, whole), "stop_sequence": None}
            return [
                _event({"type": "content_block_stop", "index": 0}),
                _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": tokens}}),
                _event({"type": "message_stop"}),
            ]


def _chat_closing(asked: Asked, tokens: int, fault: Fault) -> Iterator[str]:
    if fault is Fault.REFUSAL:
        yield _chat(asked, {"refusal": "I cannot help with that."})
    reasons = {Fault.FILTERED: "content_filter", Fault.MAX_TOKENS: "length"}
    yield _chat(asked, {}, reasons.get(fault, "stop"))
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        yield _line({**_chat_chunk(asked, {}), "choices": [], "usage": _chat_usage(asked, tokens)})
    yield "data: [DONE]\n\n"


def _response_closing(asked: Asked, tokens: int, fault: Fault) -> Iterator[str]:
    if fault is Fault.REFUSAL:
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        yield _event({"type": "response.refusal.delta", **place, "delta": "I cannot help with that."})
    reasons = {Fault.FILTERED: "content_filter", Fault.MAX_TOKENS: "max_output_tokens"}
    usage = {
        "input_tokens": asked.tokens_in,
        "input_tokens_details": {"cached_tokens": asked.cached},
        "output_tokens": tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked.tokens_in + tokens,
    }
    if fault in reasons:
        details = {"incomplete_details": {"reason": reasons[fault]}}
        yield _response(asked, "response.incomplete", status="incomplete", usage=usage, **details)
    else:
        yield _response(asked, "response.completed", status="completed", usage=usage)


def whole(asked: Asked, pieces: Sequence[str]) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    text = "".join(pieces)
    match asked.wire:
        case Wire.CHAT:
            message = {"role": "assistant", "content": text, "refusal": None}
            choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            return {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": asked.model,
                "choices": [choice],
                "usage": _chat_usage(asked, len(pieces)),
            }
        case Wire.RESPONSES:
            part = {"type": "output_text", "text": text, "annotations": []}
            item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
            return {**_response_body(asked, status="completed"), "output": [item]}
        case Wire.MESSAGES:
            return {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": asked.model,
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": asked.tokens_in, "output_tokens": len(pieces)},
            }


def refusal(asked: Asked, fault: Fault) -> tuple[int, dict[str, Any]]:
    """Status and body of a call that is turned away; its words hold what looks like a key, as real ones may."""
    statuses = {
        Fault.UNAUTHORISED: (401, "authentication_error", "invalid_api_key"),
        Fault.FORBIDDEN: (403, "permission_error", "forbidden"),
        Fault.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
        Fault.QUOTA: (429, "billing_error" if asked.wire is Wire.MESSAGES else "insufficient_quota", None),
        Fault.UNAVAILABLE: (500, "api_error" if asked.wire is Wire.MESSAGES else "server_error", None),
        Fault.OVERLOADED: (529, "overloaded_error", None),
    }
    status, kind, code = statuses[fault]
    error = {"type": kind, "message": "Something about sk-se********ret.", "param": None, "code": code}
    return status, {"type": "error", "error": error}


def _chat_chunk(asked: Asked, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": asked.model}
    return {**head, "choices": [choice]}


def _chat(asked: Asked, delta: dict[str, Any], finish: str | None = None) -> str:
    return _line(_chat_chunk(asked, delta, finish))


def _chat_usage(asked: Asked, tokens: int) -> dict[str, Any]:
    details = {"prompt_tokens_details": {"cached_tokens": asked.cached}}
    total = {"total_tokens": asked.tokens_in + tokens}
    return {"prompt_tokens": asked.tokens_in, "completion_tokens": tokens, **total, **details}


def _response_body(asked: Asked, **fields: Any) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": asked.model, "output": []}
    return {**head, "tools": [], "tool_choice": "auto", "parallel_tool_calls": True, **fields}


def _response(asked: Asked, kind: str, **fields: Any) -> str:
    return _event({"type": kind, "response": _response_body(asked, **fields)})


def _event(data: dict[str, Any]) -> str:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n"


def _line(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"

"""Names what can go wrong with a model provider by stable codes; no provider's own words, which may hold keys."""

from collections.abc import Mapping

from support_agents.domain.errors import AskedToWaitError, SupportError

# What reading an answer raises that is no JSON, no text, nested too deeply, or of another shape than was promised.
UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)
_WORDS = {
    "llm_auth": "the model provider does not accept the key",
    "llm_quota": "the account with the model provider has nothing left",
    "llm_not_found": "the model provider knows no such model or path",
    "llm_bad_request": "the model provider does not accept the request",
    "llm_rate_limited": "the model provider asks to slow down",
    "llm_overloaded": "the model provider is overloaded",
    "llm_unavailable": "the model provider reports an error of its own",
    "llm_unreachable": "the model provider cannot be reached",
    "llm_timeout": "the model provider took too long",
    "llm_broken_stream": "the model's answer broke off",
    "llm_bad_response": "the model's answer could not be read",
}
_RETRYABLE = frozenset(
    ("llm_rate_limited", "llm_overloaded", "llm_unavailable", "llm_unreachable", "llm_timeout", "llm_broken_stream")
)
_BY_STATUS = {
    **dict.fromkeys((401, 403), "llm_auth"),
    402: "llm_quota",
    404: "llm_not_found",
    **dict.fromkeys((408, 504), "llm_timeout"),
    429: "llm_rate_limited",
    **dict.fromkeys((503, 529), "llm_overloaded"),
}
_BY_TYPE = {
    "insufficient_quota": "llm_quota",
    "billing_error": "llm_quota",
    "authentication_error": "llm_auth",
    "permission_error": "llm_auth",
    "rate_limit_error": "llm_rate_limited",
    "rate_limit_exceeded": "llm_rate_limited",
    "overloaded_error": "llm_overloaded",
    "timeout_error": "llm_timeout",
}
_SERVER_ERRORS = 500
_WAITS = frozenset(("llm_rate_limited", "llm_overloaded"))
_LONGEST_WAIT = 3_600.0


def fault(code: str) -> SupportError:
    """Return the error of a code, in our own words."""
    return SupportError(code, _WORDS[code], retryable=code in _RETRYABLE)


def fault_of(status: int, body: object, headers: Mapping[str, str] | None = None) -> SupportError:
    """Return the error of an HTTP status and the provider's error body, whose type says more than the status.

    A provider that asks to slow down and names a time gives an `AskedToWaitError`.
    """
    named = next((_BY_TYPE[name] for name in _types(body) if name in _BY_TYPE), None)
    by_status = _BY_STATUS.get(status, "llm_unavailable" if status >= _SERVER_ERRORS else "llm_bad_request")
    code = named or by_status
    seconds = _wait(headers or {}) if code in _WAITS else None
    return fault(code) if seconds is None else AskedToWaitError(code, _WORDS[code], seconds=seconds)


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` names; a date there says nothing that would fit a deadline."""
    for name, unit in (("retry-after-ms", 1_000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if 0 <= seconds <= _LONGEST_WAIT:
            return seconds
    return None


def _types(body: object) -> list[str]:
    """Both providers nest `{"error": {"type", "code"}}`; the SDKs hand over the outer or the inner object."""
    inner = body.get("error", body) if isinstance(body, dict) else None
    return [str(inner.get(key)) for key in ("code", "type")] if isinstance(inner, dict) else []

"""Slack's answers and refusals in the words of the port; nothing of Slack's own text is repeated to customers."""

from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from approvals.messaging import Gone, Throttled, Trouble, Unreachable
from approvals.ports import Refused

_LONGEST_WAIT = 3_600.0
_TOO_MANY, _SERVER_ERROR = 429, 500
_GONE = frozenset((
    "message_not_found", "cant_update_message", "edit_window_closed", "expired_trigger_id", "trigger_expired",
    "trigger_exchanged", "exchanged_trigger_id", "view_not_found", "not_found", "hash_conflict", "expired_url",
    "used_url", "user_not_in_channel",
))  # fmt: skip
_AGAIN = frozenset((
    "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org",
    "update_failed", "ratelimited_upstream",
))  # fmt: skip
# What an admin can do about a refusal; codes that stand here are common ones.
_ADVICE: Mapping[str, str] = {
    "missing_scope": "install the app again with the manifest of `support-agents connect slack`",
    "invalid_auth": "set SUPPORT_SLACK_BOT_TOKEN to the app's bot token",
    "not_authed": "set SUPPORT_SLACK_BOT_TOKEN to the app's bot token",
    "token_revoked": "install the app again and set SUPPORT_SLACK_BOT_TOKEN",
    "account_inactive": "install the app again and set SUPPORT_SLACK_BOT_TOKEN",
    "channel_not_found": "write the channel's id and invite the app to it",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "choose a channel that is not archived",
}


def trouble_of(error: SlackApiError) -> Trouble:
    """What a failed call means; a body without sense is no answer at all."""
    status = getattr(error.response, "status_code", getattr(error.response, "status", 0))
    data = getattr(error.response, "data", None)
    code = data.get("error", "") if isinstance(data, Mapping) else ""
    if status == _TOO_MANY or code in {"ratelimited", "rate_limited"}:
        return Throttled(retry_after(getattr(error.response, "headers", {})))
    if status >= _SERVER_ERROR or not isinstance(code, str) or not code or code in _AGAIN:
        return Unreachable(f"Slack answered {code or status}")
    if code in _GONE:
        return Gone(code)
    return refused(code[:80])


def refused(code: str) -> Refused:
    """A refusal for good, with what to do about it."""
    return Refused(code, f"Slack refused: {code} – {_ADVICE.get(code, 'see `support-agents connect slack`')}")


def retry_after(headers: Mapping[str, Any]) -> float:
    """Seconds to wait as Slack says, a second if it does not, at most an hour."""
    told = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "1")
    try:
        return min(_LONGEST_WAIT, max(0.0, float(told)))
    except ValueError:
        return 1.0

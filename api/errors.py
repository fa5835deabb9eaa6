"""Errors as RFC 9457 problem documents: the only place where a code becomes an HTTP status and wording."""

import json
import math
from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api import logging
from support_agents.domain.errors import AskedToWaitError, SupportError

# Code → status and title. A code that is not here is a fault of ours: 500, its message is not shown.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request cannot be read"),
    "bad_cursor": (400, "The page cursor cannot be read"),
    "unauthenticated": (401, "Sign in first"),
    "bad_credentials": (401, "Wrong e-mail address or password"),
    "bad_signature": (401, "The signature does not fit"),
    "stale_signature": (401, "The signature's time is too far off"),
    "replayed": (401, "Taken already"),
    "not_allowed": (403, "Not allowed"),
    "console_needed": (403, "Decide this in the console"),
    "factor_needed": (403, "A second factor is needed"),
    "factor_wrong": (403, "The code does not fit"),
    "csrf": (403, "The anti-forgery token is missing or wrong"),
    "not_editable": (409, "Not editable"),
    "not_approved": (409, "Nobody has approved this"),
    "no_sections": (409, "Nothing to check against"),
    "no_way_back": (409, "No way back to the customer"),
    "blocked": (422, "The text did not pass its checks"),
    "person_needed": (403, "A person has to decide this"),
    "not_found": (404, "Not found"),
    "unknown_source": (404, "Unknown source"),
    "already_decided": (409, "Already decided"),
    "already_exists": (409, "Exists already"),
    "changed_just_now": (409, "Shown only just now"),
    "conflict": (409, "The state does not allow it"),
    "digest_mismatch": (409, "Not the bytes that were shown"),
    "expired": (409, "Too late: expired"),
    "illegal_transition": (409, "The state does not allow it"),
    "stale": (409, "The ticket has moved on"),
    "superseded": (409, "Replaced by something newer"),
    "too_late": (409, "Too late"),
    "too_large": (413, "The body is too large"),
    "invalid": (422, "The values do not fit"),
    "invalid_action": (422, "The values do not fit"),
    "rate_limited": (429, "Too many deliveries"),
    "overloaded": (429, "Too much waits already"),
    "locked_out": (429, "Too many attempts"),
    "busy": (503, "Too busy"),
    "quarantined": (503, "Held after a restore"),
    "database_unavailable": (503, "The database cannot be reached"),
    "unavailable": (503, "Not ready"),
}
_USUAL_SECONDS = 30
MEDIA_TYPE = "application/problem+json"
_STATUS_CODES = {400: "bad_request", 401: "unauthenticated", 403: "not_allowed", 404: "not_found", 413: "too_large"}


def problem(code: str, detail: str, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem document; `code` is the stable part that programs may rely on."""
    known_status, title = PROBLEMS.get(code, (500, "Something went wrong here"))
    body = {
        "type": f"urn:support-agents:problem:{code}",
        "title": title,
        "status": status or known_status,
        "detail": detail,
        "code": code,
    }
    return Response(json.dumps(body), status_code=status or known_status, headers=headers, media_type=MEDIA_TYPE)


async def support_error(_request: Request, error: Exception) -> Response:
    """Answer a `SupportError`; an unknown code is a fault of ours and keeps its message to itself."""
    assert isinstance(error, SupportError)  # noqa: S101 - registered for this type only
    if error.code not in PROBLEMS:
        logging.get().error("request_failed", code=error.code)
        return problem("internal", "The request failed; the log has the kind of error.", status=500)
    seconds = math.ceil(error.seconds) if isinstance(error, AskedToWaitError) else _USUAL_SECONDS
    headers = {"Retry-After": str(seconds)} if error.retryable else None
    return problem(error.code, error.message, headers=headers)


async def http_error(_request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such route, wrong method, a body over the limit."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    code = _STATUS_CODES.get(error.status_code, "bad_request")
    return problem(code, str(error.detail), status=error.status_code, headers=error.headers)


async def validation_error(_request: Request, error: Exception) -> Response:
    """Answer a body or parameter of the wrong shape, naming the places but not the values."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    places = (f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
    return problem("invalid", "; ".join(places))


def documented(*codes: str) -> dict[int | str, dict[str, object]]:
    """Return OpenAPI `responses` for these codes."""
    found: dict[int | str, dict[str, object]] = {}
    for code in codes:
        status, title = PROBLEMS[code]
        schema = {"$ref": "#/components/schemas/Problem"}
        entry = found.setdefault(status, {"description": title, "content": {MEDIA_TYPE: {"schema": schema}}})
        if title not in str(entry["description"]):
            entry["description"] = f"{entry['description']}; {title[0].lower()}{title[1:]}"
    return found

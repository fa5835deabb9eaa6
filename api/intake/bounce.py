"""Recognising delivery reports about letters of ours, and our own letters coming back; it believes no word of them."""

from collections.abc import Mapping
from uuid import UUID

import re2

_ID = r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"
_REPORT = "report-type=delivery-status"
_STATUS = re2.compile(r"(?i)\b(?:status:\s*|#)?([245]\.\d{1,3}\.\d{1,3})\b")
_DELAYED = re2.compile(r"(?im)^action:\s*(?:delayed|delivered|relayed|expanded)\b")
_LONGEST = 200_000


def own_letter(text: str, domain: str) -> UUID | None:
    """Return the action whose letter's Message-ID stands in this text, if one does."""
    if not domain:
        return None
    found = re2.search(f"<{_ID}@{re2.escape(domain)}>", text[:_LONGEST])
    return UUID(found.group(1)) if found else None


def bounced_letter(text: str, headers: Mapping[str, str], domain: str) -> tuple[UUID, str] | None:
    """Return action and status code of a letter that a machine says was not delivered; None for anything else.

    The caller has seen that a machine wrote this.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    report = _REPORT in lowered.get("content-type", "").lower().replace(" ", "") or "x-failed-recipients" in lowered
    status = _STATUS.search(text[:_LONGEST])
    if not (report or (status and status.group(1)[0] == "5")) or _DELAYED.search(text[:_LONGEST]):
        return None
    told = "\n".join((lowered.get("in-reply-to", ""), lowered.get("references", ""), text))
    action = own_letter(told, domain)
    return None if action is None else (action, status.group(1) if status else "")

"""The work of `connect slack`: what to do next, checks against Slack and our own door, one card to one person."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import httpx
from pydantic import SecretStr

from api.cli.checks.finding import Finding
from api.cli.doctor_work import shown
from api.cli.installation import configured
from api.cli.output import remarks, results
from api.secret_key import make_data_dir, secret_key
from api.settings import Settings
from api.slack_bootstrap import slack_manifest, slack_messenger, slack_signed, slack_socket_opens
from approvals.card import Card, CardState, CustomerWords, Findings, Letter, Line, Stage
from approvals.messaging import Connection, Done, Member, MemberProfile, Messenger, Posted, Throttled
from approvals.messenger_routing import load_routing
from approvals.ports import Refused
from approvals.wording import Tone
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, TicketId, new_id

_SECONDS = 10.0
_STEPS = """1. https://api.slack.com/apps → Create New App → From a manifest → paste what stands above (or `--manifest`)
2. Install it to your workspace, and set SUPPORT_SLACK_BOT_TOKEN (OAuth & Permissions, xoxb-…)
3. {way}
4. Invite the app to your channels, write their ids into a file, and set SUPPORT_SLACK_ROUTING
5. Start the server, then run this again: support-agents connect slack --me YOUR_MEMBER_ID"""
_HTTP = "Set SUPPORT_SLACK_SIGNING_SECRETS (Basic Information, Signing Secret)"
_SOCKET = "Set SUPPORT_SLACK_APP_TOKEN (Basic Information, App-Level Tokens, scope connections:write, xapp-…)"


def show_manifest() -> None:
    """Print the manifest as JSON."""
    print(json.dumps(slack_manifest(configured())[0], indent=2))  # noqa: T201 - this is what was asked for


async def examine(me: str) -> bool:
    """Print the manifest and the steps without a token; with one, every finding. Return whether all is well."""
    settings = configured()
    if settings.slack_bot_token is None:
        show_manifest()
        way = _HTTP if settings.public_url.startswith("https://") else _SOCKET
        remarks().print(_STEPS.format(way=way), soft_wrap=True)
        return True
    make_data_dir(settings.data_dir)
    messenger, well = slack_messenger(settings, secret_key(settings)), True
    try:
        async for finding in _findings(settings, messenger, me):
            shown(finding, results())
            well = well and finding.ok
    finally:
        await messenger.close()
    return well


async def _findings(settings: Settings, messenger: Messenger, me: str) -> AsyncIterator[Finding]:
    connection = await messenger.connection()
    if not isinstance(connection, Connection):
        yield Finding("token", _said(connection), "set SUPPORT_SLACK_BOT_TOKEN to the installed app's (xoxb-…)")
        return
    yield Finding("token", f"{connection.team_name} ({connection.team}), as {connection.user}")
    yield _scopes(connection.scopes, slack_manifest(settings)[1])
    async for finding in _channels(settings, messenger):
        yield finding
    yield await _clicks(settings)
    yield await _test_card(messenger, Member(connection.team, me, connection.enterprise))


def _scopes(has: frozenset[str], needed: frozenset[str]) -> Finding:
    missing, extra = sorted(needed - has), sorted(has - needed)
    if missing:
        return Finding("scopes", f"missing: {', '.join(missing)}", "paste the manifest again and reinstall the app")
    if extra:
        return Finding("scopes", f"more than needed: {', '.join(extra)}", "take them away: paste the manifest again")
    return Finding("scopes", f"exactly the {len(needed)} that are needed")


async def _channels(settings: Settings, messenger: Messenger) -> AsyncIterator[Finding]:
    if settings.slack_routing is None:
        yield Finding("channels", "none: cards go only to people who ask for the next (SUPPORT_SLACK_ROUTING)")
        return
    for place in load_routing(settings.slack_routing).channels:
        found = await messenger.find_place(place)
        fix = "" if isinstance(found, Done) else f"correct the id in {settings.slack_routing.name}, or invite the app"
        yield Finding("channel", f"{place.id}: " + ("we are in it" if not fix else _said(found)), fix)


async def _clicks(settings: Settings) -> Finding:
    """The way back: over a socket, or signed over HTTP to our own address and back."""
    if settings.slack_app_token is not None:
        opened = await slack_socket_opens(settings)
        fix = "" if isinstance(opened, Done) else "make an app-level token with the scope connections:write"
        return Finding("clicks", "a socket can be opened" if not fix else _said(opened), fix)
    if not settings.slack_signing_secrets:
        return Finding("clicks", "nothing can be clicked", "set SUPPORT_SLACK_SIGNING_SECRETS or _APP_TOKEN")
    return await _round_trip(f"{settings.url}/slack/events", settings.slack_signing_secrets[0])


async def _round_trip(url: str, secret: SecretStr) -> Finding:
    """What is signed as Slack signs is taken and answered, the same with another secret is refused."""
    challenge = token_hex(16)
    raw = json.dumps({"type": "url_verification", "challenge": challenge}).encode()
    now = datetime.now(UTC)
    try:
        async with httpx.AsyncClient(timeout=_SECONDS) as client:
            taken = await client.post(url, content=raw, headers=_headers(secret, raw, now))
            forged = await client.post(url, content=raw, headers=_headers(SecretStr(token_hex(16)), raw, now))
    except httpx.HTTPError as error:
        return Finding("signature", f"{url} does not answer ({type(error).__name__})", "start `support-agents serve`")
    if taken.is_success and challenge in taken.text and forged.is_client_error:
        return Finding("signature", f"{url} takes what is signed and refuses what is not")
    told = f"{url} answered {taken.status_code} to a signed delivery and {forged.status_code} to a forged one"
    return Finding("signature", told, "run the server with the same SUPPORT_SLACK_SIGNING_SECRETS")


def _headers(secret: SecretStr, raw: bytes, now: datetime) -> dict[str, str]:
    return {**slack_signed(secret, raw, now), "content-type": "application/json"}


async def _test_card(messenger: Messenger, member: Member) -> Finding:
    """A card to one person, with nothing behind it and nothing to decide."""
    if not member.user:
        return Finding("test card", "not sent: say who you are with --me (your profile → ⋮ → Copy member ID)")
    profile = await messenger.profile(member)
    if not isinstance(profile, MemberProfile) or profile.deactivated or profile.foreign or profile.bot:
        told = "not a member of this workspace" if isinstance(profile, MemberProfile) else _said(profile)
        return Finding("test card", f"{member.user}: {told}", "give your own member id with --me")
    posted = await messenger.direct(member, _card())
    fix = "" if isinstance(posted, Posted) else "look at the lines above, then run this again"
    return Finding("test card", f"sent to {profile.name} only" if not fix else _said(posted), fix)


def _card() -> Card:
    now = datetime.now(UTC)
    return Card(
        workspace=DEFAULT_WORKSPACE,
        request_id=RequestId(new_id()),
        ticket_id=TicketId(new_id()),
        digest="0" * 64,
        customer="A customer",
        subject="Test card",
        words=CustomerWords(text="This is where the customer's words stand."),
        order=Line(text="Here stands the order."),
        letter=Letter(
            to="nobody@example.com", subject="Test", text="Here stands the reply.", way="nowhere", live=False
        ),
        verdict=Findings(line="Here stands what the checks say", tone=Tone.GOOD),
        state=CardState(stage=Stage.ENDED, headline="A test: nothing is behind this card"),
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )  # fmt: skip


def _said(answer: object) -> str:
    """An answer that was no success, in words."""
    match answer:
        case Refused(message=message):
            return message
        case Throttled(retry_after=seconds):
            return f"Slack asks to wait {seconds:.0f} s"
        case _:
            return str(getattr(answer, "reason", "no answer"))

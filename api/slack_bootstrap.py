"""The composition root's Slack half, the one importer of that adapter but its routes; it loads it when asked."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from pydantic import SecretStr

from api.container import Container
from api.desk import DeskNeeds, desk_of
from api.secret_key import SecretKey
from api.settings import Settings
from api.slack_door import Background, SlackDoor
from api.worker.afterwards import Afterwards
from approvals.deliveries import Deliveries
from approvals.messaging import Done, Messenger, Trouble
from approvals.messenger_routing import load_routing
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

INSTALLATION_NAME = 12
_PURPOSE = "slack"


def with_slack(container: Container) -> Container:
    """The installation with its Slack door, where a messenger is connected."""
    if container.messenger is None:
        return container
    return replace(container, slack=connect_slack(container, container.messenger))


def installation_name(key: SecretKey) -> str:
    """What tells this installation's clicks from those of another one on the same messenger app."""
    return _name(key.derived(_PURPOSE))


def earlier_names(key: SecretKey) -> frozenset[str]:
    """What it was called under earlier keys: cards of that time are still ours."""
    return frozenset(_name(each) for each in key.lasting(_PURPOSE))


def _name(key: bytes) -> str:
    return hmac.digest(key, b"installation", "sha256").hex()[:INSTALLATION_NAME]


def slack_messenger(settings: Settings, key: SecretKey) -> Messenger:
    """Slack by its bot token; refused without one."""
    from approvals.adapters.slack.channel import SlackMessenger

    if settings.slack_bot_token is None:
        raise SupportError("settings", "set SUPPORT_SLACK_BOT_TOKEN to the app's bot token (xoxb-…)")
    token = settings.slack_bot_token.get_secret_value()
    return SlackMessenger.open(token, installation=installation_name(key), base_url=settings.slack_api_url)


async def slack_socket_opens(settings: Settings) -> Done | Trouble:
    """Whether Slack gives out a socket for the app-level token."""
    from approvals.adapters.slack.channel import socket_opens

    token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
    return await socket_opens(token, base_url=settings.slack_api_url)


def slack_manifest(settings: Settings) -> tuple[Mapping[str, object], frozenset[str]]:
    """Return the app's manifest for this installation, and the scopes that it needs."""
    from approvals.adapters.slack.manifest import SCOPES, manifest

    return manifest(public_url=settings.public_url), frozenset(SCOPES)


def slack_signed(secret: SecretStr, raw: bytes, at: datetime) -> Mapping[str, str]:
    """Return the headers by which Slack signs a body at a moment."""
    from approvals.adapters.slack.signature import SIGNATURE, TIMESTAMP, sign

    stamp = str(int(at.timestamp()))
    return {TIMESTAMP: stamp, SIGNATURE: sign(secret, stamp, raw).decode()}


def connect_slack(container: Container, messenger: Messenger) -> SlackDoor:
    """Return the door to one Slack app, where `messenger` shows what people see; its socket is not started."""
    from approvals.adapters.slack.answers import Answers
    from approvals.adapters.slack.blocks import Blocks
    from approvals.adapters.slack.clicks import Clicks

    settings, database = container.settings, container.database
    installation, earlier = installation_name(container.key), partial(earlier_names, container.key)
    parts = desk_of(
        DeskNeeds(
            database=database,
            queue=container.queue,
            executions=container.executions,
            editing=container.editing,
            correcting=container.correcting,
            cards=container.cards,
            clock=container.clock,
        )
    )
    clicks = Clicks(
        **vars(parts),
        workspace=DEFAULT_WORKSPACE,
        answers=Answers(database, messenger, Blocks(installation).view),
        console_url=settings.public_url,
        groups=load_routing(settings.slack_routing).groups if settings.slack_routing else (),
    )
    afterwards, deliveries = Afterwards(), Deliveries(database)
    socket = None
    if settings.slack_app_token is not None:
        from approvals.adapters.slack.interactions import Reader
        from approvals.adapters.slack.socket import SlackSocket

        token = settings.slack_app_token.get_secret_value()
        socket = SlackSocket(
            token,
            Reader(installation, earlier),
            deliveries,
            clicks,
            afterwards.do_now,
            afterwards.do,
            base_url=settings.slack_api_url,
        )
    return SlackDoor(
        secrets=settings.slack_signing_secrets,
        installation=installation,
        earlier=earlier,
        deliveries=deliveries,
        clicks=clicks,
        afterwards=afterwards,
        socket=Background(socket.start, socket.stop) if socket else None,
    )

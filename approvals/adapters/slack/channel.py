"""The messenger over Slack's Web API; it retries nothing and waits for nothing: whoever calls owns the pace."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from approvals.adapters.slack.blocks import Blocks
from approvals.adapters.slack.pace import Pace
from approvals.adapters.slack.refusals import retry_after, trouble_of
from approvals.card import Home
from approvals.messaging import (
    Connection,
    Content,
    Done,
    Gone,
    Member,
    MemberProfile,
    MessageRef,
    Opened,
    Place,
    Posted,
    Replacing,
    Throttled,
    Trouble,
    Unreachable,
    ViewRef,
)
from approvals.modals import Modal
from approvals.ports import Refused

SLACK = "https://slack.com/api/"
RESPONSE_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
Answer = TypeVar("Answer")
# Methods about people and channels take their arguments from a form; not all of them read a body of JSON.
_BY_FORM = frozenset({"users.info", "conversations.info", "conversations.open"})
_NO_MORE, _TOO_MANY, _SERVER_ERROR = frozenset({404, 410}), 429, 500


@dataclass
class SlackMessenger:
    """One app in one workspace, by its bot token; `response_hosts` are those that clicks may be answered at."""

    client: AsyncWebClient = field(repr=False)
    blocks: Blocks
    pace: Pace
    response_hosts: frozenset[str] = RESPONSE_HOSTS
    _conversations: dict[Member, Place] = field(default_factory=dict, repr=False)

    @classmethod
    def open(
        cls,
        token: str,
        *,
        installation: str,
        base_url: str = SLACK,
        seconds: float = 10,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> "SlackMessenger":
        """A messenger that has asked nothing yet; its connections are opened at first use and kept."""
        timeout = max(1, round(seconds))
        client = AsyncWebClient(token=token, base_url=f"{base_url.rstrip('/')}/", timeout=timeout, retry_handlers=[])
        hosts = RESPONSE_HOSTS if client.base_url == SLACK else frozenset({urlsplit(base_url).netloc})
        return cls(client, Blocks(installation), Pace(monotonic), hosts)

    async def close(self) -> None:
        """Close the connections."""
        if self.client.session is not None:
            await self.client.session.close()

    async def connection(self) -> Connection | Trouble:
        """Ask who we are."""
        answer = await self._call("auth.test")
        if not isinstance(answer, AsyncSlackResponse):
            return answer
        told = next((value for name, value in answer.headers.items() if name.lower() == "x-oauth-scopes"), "")
        return Connection(
            team=str(answer.get("team_id", "")),
            team_name=str(answer.get("team", "")),
            user=str(answer.get("user_id", "")),
            scopes=frozenset(scope.strip() for scope in told.split(",") if scope.strip()),
            enterprise=str(answer.get("enterprise_id") or ""),
        )

    async def post(self, place: Place, content: Content) -> Posted | Trouble:
        """`chat.postMessage`."""
        answer = await self._call("chat.postMessage", place.id, channel=place.id, **self.blocks.message(content))
        return _posted(answer, place)

    def pause(self, ref: MessageRef) -> float:
        """By our own pace of `chat.update`."""
        return self.pace.pause("chat.update", ref.place.id)

    async def update(self, ref: MessageRef, content: Content) -> Posted | Trouble:
        """`chat.update`; what unfurls is said when posting."""
        drawn = self.blocks.message(content)
        given = {name: drawn[name] for name in ("blocks", "text", "parse", "link_names")}
        answer = await self._call("chat.update", channel=ref.place.id, ts=ref.id, **given)
        return _posted(answer, ref.place)

    async def whisper(self, place: Place, member: Member, content: Content) -> Done | Trouble:
        """`chat.postEphemeral`."""
        drawn = self.blocks.message(content)
        given = {name: drawn[name] for name in ("blocks", "text", "parse", "link_names")}
        answer = await self._call("chat.postEphemeral", channel=place.id, user=member.user, **given)
        return Done() if isinstance(answer, AsyncSlackResponse) else answer

    async def direct(self, member: Member, content: Content) -> Posted | Trouble:
        """`conversations.open`, once per person, then a message."""
        place = self._conversations.get(member)
        if place is None:
            answer = await self._call("conversations.open", users=member.user)
            if not isinstance(answer, AsyncSlackResponse):
                return answer
            place = self._conversations[member] = Place(str(answer["channel"]["id"]))
        return await self.post(place, content)

    async def open_modal(self, trigger: str, modal: Modal) -> Opened | Trouble:
        """`views.open`."""
        return _opened(await self._call("views.open", trigger_id=trigger, view=self.blocks.view(modal)))

    async def update_modal(self, view: ViewRef, modal: Modal) -> Opened | Trouble:
        """`views.update`, guarded by the view's hash where there is one."""
        guard = {"hash": view.hash} if view.hash else {}
        return _opened(await self._call("views.update", view_id=view.id, view=self.blocks.view(modal), **guard))

    async def publish_home(self, member: Member, home: Home) -> Done | Trouble:
        """`views.publish`."""
        answer = await self._call("views.publish", user_id=member.user, view=self.blocks.home(home))
        return Done() if isinstance(answer, AsyncSlackResponse) else answer

    async def respond(self, address: str, content: Content, replacing: Replacing) -> Done | Trouble:
        """Answer at a `response_url`; only Slack's own hosts are ever called."""
        url = urlsplit(address)
        secure = url.scheme == "https" or url.netloc not in RESPONSE_HOSTS
        if url.netloc not in self.response_hosts or not secure:
            return Refused("foreign_address", "this is not an address of Slack's")
        drawn = self.blocks.message(content)
        body = {name: drawn[name] for name in ("blocks", "text", "unfurl_links", "unfurl_media")}
        body |= {"replace_original": replacing is Replacing.ORIGINAL, "response_type": "ephemeral"}
        return await _sent(lambda: self._answer(address, body))

    async def profile(self, member: Member) -> MemberProfile | Trouble:
        """`users.info`."""
        answer = await self._call("users.info", user=member.user)
        if not isinstance(answer, AsyncSlackResponse):
            return answer
        user: dict[str, Any] = answer["user"]
        team = str(user.get("team_id", ""))
        return MemberProfile(
            member=member,
            name=str(user.get("real_name") or user.get("name") or ""),
            deactivated=bool(user.get("deleted")),
            bot=bool(user.get("is_bot")),
            foreign=bool(user.get("is_stranger")) or (team != member.team and not user.get("enterprise_user")),
            time_zone=str(user.get("tz") or ""),
            locale=str(user.get("locale") or ""),
        )

    async def find_place(self, place: Place) -> Done | Trouble:
        """`conversations.info`: whether the channel is there and we are in it."""
        answer = await self._call("conversations.info", channel=place.id)
        if not isinstance(answer, AsyncSlackResponse):
            return answer
        member = answer["channel"].get("is_member", False)
        return Done() if member else Refused("not_in_channel", f"invite the app to {place.id}")

    async def _call(self, method: str, channel: str = "", /, **given: Any) -> AsyncSlackResponse | Trouble:  # noqa: ANN401 - what Slack takes
        """Call once if the pace allows it; every failure is typed."""
        wait = self.pace.take(method, channel)
        if wait > 0:
            return Throttled(wait)
        self._open()
        if method in _BY_FORM:
            answer = await _sent(lambda: self.client.api_call(method, data=given))
        else:
            answer = await _sent(lambda: self.client.api_call(method, json=given))
        if isinstance(answer, Throttled):
            self.pace.close(method, channel, answer.retry_after)
        return answer

    async def _answer(self, address: str, body: dict[str, Any]) -> Done | Trouble:
        async with self._open().post(address, json=body) as response:
            status, headers, said = response.status, dict(response.headers), (await response.text())[:80]
        if status == _TOO_MANY:
            return Throttled(retry_after(headers))
        if status >= _SERVER_ERROR:
            return Unreachable(f"Slack answered {status}")
        if status in _NO_MORE:
            return Gone(said)
        return Done() if response.ok else Refused("response_refused", f"Slack refused an answer to a click: {status}")

    def _open(self) -> aiohttp.ClientSession:
        """The connections that are kept; made inside the running loop."""
        if self.client.session is None or self.client.session.closed:
            self.client.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.client.timeout))
        return self.client.session


async def socket_opens(app_token: str, *, base_url: str = SLACK) -> Done | Trouble:
    """Whether Slack gives out a socket for this app-level token; the socket is not opened."""
    client = AsyncWebClient(token=app_token, base_url=f"{base_url.rstrip('/')}/", timeout=10, retry_handlers=[])
    answer = await _sent(lambda: client.api_call("apps.connections.open"))
    return Done() if isinstance(answer, AsyncSlackResponse) else answer


async def _sent(call: Callable[[], Awaitable[Answer]]) -> Answer | Trouble:
    try:
        return await call()
    except SlackApiError as error:
        return trouble_of(error)
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Unreachable(f"Slack could not be reached: {type(error).__name__}")


def _posted(answer: AsyncSlackResponse | Trouble, place: Place) -> Posted | Trouble:
    if not isinstance(answer, AsyncSlackResponse):
        return answer
    # Slack names the channel that a message really went to: a direct conversation has an id of its own.
    return Posted(MessageRef(Place(str(answer.get("channel") or place.id)), str(answer["ts"])))


def _opened(answer: AsyncSlackResponse | Trouble) -> Opened | Trouble:
    if not isinstance(answer, AsyncSlackResponse):
        return answer
    view = answer["view"]
    return Opened(ViewRef(str(view["id"]), str(view.get("hash", ""))))

"""Speaks to this data folder's running server over loopback; it uses no proxy and never decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from api import server_file
from api.server_file import RunningServer
from api.settings import Settings
from support_agents.domain.errors import SupportError

_SECONDS = 30.0
_HEALTH_SECONDS = 2.0

Object = dict[str, object]


@dataclass(frozen=True)
class Client:
    """Reads from one server with the command line's own token."""

    server: RunningServer

    def get(self, path: str) -> Object:
        """Return the JSON object at `path`; a problem document is a `SupportError`."""
        return self._good(self._answer("GET", path, None))

    def post(self, path: str, body: Mapping[str, object]) -> Object:
        """Return the JSON object that a body is answered with; a problem document is a `SupportError`."""
        return self._good(self._answer("POST", path, body))

    def answers(self) -> bool:
        """Whether it is a server of ours and listens."""
        try:
            with self._open(_HEALTH_SECONDS) as http:
                return http.get("/healthz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _open(self, seconds: float) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.server.token}"}
        return httpx.Client(base_url=self.server.url, headers=headers, timeout=seconds, trust_env=False)

    def _good(self, response: httpx.Response) -> Object:
        if not response.is_success:
            raise _problem(response)
        return _object(response)

    def _answer(self, method: str, path: str, body: Mapping[str, object] | None) -> httpx.Response:
        try:
            with self._open(_SECONDS) as http:
                return http.request(method, path, json=body)
        except httpx.HTTPError as error:
            message = f"the server at {self.server.url} does not answer ({type(error).__name__}); restart it"
            raise SupportError("server_silent", message, retryable=True) from error


def running(settings: Settings) -> Client | None:
    """Return a client of the server that has this data folder, or None when none runs."""
    server = server_file.read(settings.data_dir)
    client = Client(server) if server else None
    return client if client and client.answers() else None


def _object(response: httpx.Response) -> Object:
    found: Object = response.json()
    return found


def _problem(response: httpx.Response) -> SupportError:
    """Turn a problem document back into our own error."""
    try:
        found = response.json()
        return SupportError(str(found["code"]), str(found["detail"]))
    except (ValueError, KeyError, TypeError):
        return SupportError("server_failed", f"the server answered {response.status_code}; its log says why")

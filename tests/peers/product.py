"""The product as its users run it: a server process on a folder, driven over HTTP, killed and started again."""

import base64
import hashlib
import hmac
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.peers.program import Program, Running, run, warm

WHSEC = "whsec_" + base64.b64encode(b"a secret for tests only").decode()
ZENDESK_SECRET = "a zendesk secret for tests only"
PASSWORD = "correct horse battery staple"
OPERATOR = "anna@shop.example"
START_SECONDS = 240.0
CALL_SECONDS = 120.0  # a busy server that is slow to answer is not one that died


class ServerDiedError(Exception):
    """The server ended while it was being talked to."""


@dataclass
class Product:
    """One installation in `folder`, at most one process at a time."""

    folder: Path
    environment: Mapping[str, str]
    program: Program = field(default_factory=warm)
    process: Running | None = None
    _http: httpx.Client | None = None
    _csrf: dict[str, str] = field(default_factory=dict)
    _cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def command(self, *words: str, stdin: str = "") -> str:
        """Run a `support-agents` command to its end; its output is returned, a failure raised with it."""
        ended = run(self.program, words, env=self._env({}), given=stdin)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def start(self, *, fault: str = "") -> None:
        """Start the server and wait until it is ready; `fault` names where it shall kill itself."""
        (self.folder / "server.json").unlink(missing_ok=True)
        extra = {"SUPPORT_TESTING": "true", "SUPPORT_FAULT_POINT": fault} if fault else {}
        with (self.folder.parent / "server.log").open("ab") as log, Path(os.devnull).open("rb") as nothing:
            self.process = self.program.start(["serve"], env=self._env(extra), stdin=nothing, out=log, err=log)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            self._alive()
            if (url := self._url()) and _answers(url):
                self._http = httpx.Client(base_url=url, timeout=CALL_SECONDS, trust_env=False, cookies=self._cookies)
                return
            time.sleep(0.05)
        raise TimeoutError(self.log())

    def stop(self) -> None:
        """End the process in order, if it runs."""
        self._forget()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)

    def was_killed(self) -> bool:
        """Whether the process, which no longer answers, ended by SIGKILL."""
        return self.process is not None and self.process.wait(60) == -signal.SIGKILL

    def log(self) -> str:
        """What the server wrote, all starts together."""
        return (self.folder.parent / "server.log").read_text(errors="replace")

    def webhook(self, body: Mapping[str, object]) -> Any:
        """Send one signed standard webhook."""
        raw = json.dumps(body).encode()
        return self._json("POST", "/webhooks/standard", content=raw, headers=signed(raw))

    def zendesk_webhook(self, body: Mapping[str, object]) -> Any:
        """Send one webhook as Zendesk signs it."""
        raw = json.dumps(body).encode()
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        mac = hmac.new(ZENDESK_SECRET.encode(), stamp.encode() + raw, hashlib.sha256).digest()
        headers = {
            "x-zendesk-webhook-signature": base64.b64encode(mac).decode(),
            "x-zendesk-webhook-signature-timestamp": stamp,
            "content-type": "application/json",
        }
        return self._json("POST", "/webhooks/zendesk", content=raw, headers=headers)

    def raw(self, path: str, raw: bytes, headers: Mapping[str, str]) -> int:
        """Post these very bytes with these headers; returns the HTTP status, whatever it is."""
        self._alive()
        assert self._http is not None
        try:
            return self._http.post(path, content=raw, headers=dict(headers)).status_code
        except httpx.TransportError as error:
            raise ServerDiedError(str(error)) from error

    def sign_in(self) -> None:
        """Open a person's session, which outlives a restart of the server."""
        if self._csrf:
            return
        answer = self._json("POST", "/v1/session", json={"email": OPERATOR, "password": PASSWORD})
        self._csrf = {"X-CSRF-Token": answer["csrf"]}
        assert self._http is not None
        self._cookies = self._http.cookies

    def get(self, path: str) -> Any:
        """Return the JSON at `path`."""
        return self._json("GET", path)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Post with the session's CSRF token."""
        return self._json("POST", path, json=body or {}, headers=self._csrf)

    def _json(self, method: str, path: str, **how: Any) -> Any:
        self._alive()
        assert self._http is not None
        try:
            response = self._http.request(method, path, **how)
        except httpx.TransportError as error:
            raise ServerDiedError(str(error)) from error
        if response.is_error:
            raise httpx.HTTPStatusError(response.text, request=response.request, response=response)
        return response.json() if response.content else {}

    def _alive(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            self._forget()
            raise ServerDiedError(self.log()[-2_000:])

    def _forget(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _url(self) -> str:
        try:
            return str(json.loads((self.folder / "server.json").read_text())["url"])
        except (OSError, ValueError, KeyError):
            return ""

    def _env(self, extra: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SUPPORT_")}
        return {**inherited, "SUPPORT_DATA_DIR": str(self.folder), **self.environment, **extra}


def signed(raw: bytes, *, at: datetime | None = None, secret: str = WHSEC) -> dict[str, str]:
    """Headers of a Standard Webhook."""
    message_id, stamp = f"msg_{uuid4().hex}", str(int((at or datetime.now(UTC)).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{stamp}.".encode() + raw, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
        "content-type": "application/json",
    }


@contextmanager
def product(folder: Path, environment: Mapping[str, str], program: Program | None = None) -> Iterator[Product]:
    """An installation that is stopped at the end whatever happens."""
    folder.mkdir(mode=0o700, exist_ok=True)
    made = Product(folder, environment, program or warm())
    try:
        yield made
    finally:
        made.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False

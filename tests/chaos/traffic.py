"""Who uses the installation while it breaks: a helpdesk that delivers until it is answered, a person who approves."""

import asyncio
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.benchmarks.messages import Sample
from tests.peers.product import OPERATOR, PASSWORD, signed

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0
_PERSON_PAUSE = 0.5
_AGAIN = 0.1  # share of deliveries that the helpdesk repeats although they were answered
_APPROVES = 2  # every so many tickets
_PENDING = (
    "SELECT r.id, r.digest, t.external_id FROM approval_requests r JOIN tickets t ON t.id = r.ticket_id"
    " WHERE r.status = 'pending' ORDER BY r.id"
)


@dataclass
class Helpdesk:
    """Delivers each message until it is accepted, as helpdesks do; some of them once more."""

    urls: Sequence[str]
    seed: int
    accepted: set[str] = field(default_factory=set)
    tries: int = 0
    statuses: dict[int, int] = field(default_factory=dict)

    async def send(self, messages: Sequence[Sample], per_second: float) -> None:
        """Send at an even pace whatever becomes of earlier ones; return when all are accepted."""
        loop = asyncio.get_running_loop()
        first = loop.time()
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http, asyncio.TaskGroup() as group:
            for at, sample in enumerate(messages):
                await asyncio.sleep(max(0.0, first + at / per_second - loop.time()))
                group.create_task(self._delivered(http, sample))

    async def _delivered(self, http: httpx.AsyncClient, sample: Sample) -> None:
        dice = random.Random(f"{self.seed}:{sample.ticket}")  # noqa: S311 - chance, no secret
        raw = sample.body()
        await self._until_accepted(http, raw, dice)
        self.accepted.add(sample.ticket)
        if dice.random() < _AGAIN:
            await asyncio.sleep(dice.uniform(0, 5))
            await self._until_accepted(http, raw, dice)

    async def _until_accepted(self, http: httpx.AsyncClient, raw: bytes, dice: random.Random) -> None:
        pause = _FIRST_PAUSE
        while not await self._accepts(http, raw, dice.choice(self.urls)):
            await asyncio.sleep(pause * dice.uniform(0.5, 1.5))
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _accepts(self, http: httpx.AsyncClient, raw: bytes, url: str) -> bool:
        self.tries += 1
        try:
            answer = await http.post(f"{url}/webhooks/standard", content=raw, headers=signed(raw))
        except httpx.TransportError:
            self.statuses[0] = self.statuses.get(0, 0) + 1
            return False
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        return answer.is_success


@dataclass
class Approver:
    """One person who approves what concerns every second ticket, and notes each click before it is made."""

    url: str
    conninfo: str
    clicks: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    async def work(self) -> None:
        """Decide until cancelled, whatever breaks."""
        async with httpx.AsyncClient(base_url=self.url, timeout=10, trust_env=False) as http:
            headers: dict[str, str] = {}
            while True:
                await asyncio.sleep(_PERSON_PAUSE)
                try:
                    headers = headers or await _signed_in(http)
                    for row in await self._wanted():
                        await self._approve(http, headers, row)
                except (httpx.HTTPError, psycopg.Error):
                    continue

    async def _wanted(self) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(
            self.conninfo, row_factory=dict_row, connect_timeout=3
        ) as connection:
            found = await (await connection.execute(_PENDING)).fetchall()
        return [
            row
            for row in found
            if str(row["id"]) not in self._settled and zlib.crc32(row["external_id"].encode()) % _APPROVES == 0
        ]

    async def _approve(self, http: httpx.AsyncClient, headers: dict[str, str], row: dict[str, Any]) -> None:
        shown = (await http.get(f"/v1/approvals/{row['id']}")).raise_for_status().json()
        self.clicks.append({"what": "click", "digest": shown["digest"]})
        decision = {"decision": "approve", "digest": shown["digest"]}
        answer = await http.post(f"/v1/approvals/{row['id']}/decisions", json=decision, headers=headers)
        if answer.is_success:
            self._settled.add(str(row["id"]))
        elif answer.is_client_error:
            code = str(_code(answer))
            self.refused[code] = self.refused.get(code, 0) + 1


async def _signed_in(http: httpx.AsyncClient) -> dict[str, str]:
    given = {"email": OPERATOR, "password": PASSWORD}
    answer = (await http.post("/v1/session", json=given)).raise_for_status().json()
    return {"X-CSRF-Token": answer["csrf"]}


def _code(answer: httpx.Response) -> object:
    try:
        return answer.json().get("code", answer.status_code)
    except json.JSONDecodeError:
        return answer.status_code

"""The guarded client against a real server on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from support_agents.adapters.page_fetcher import PageFetcher
from support_agents.domain.errors import Failed, Ok
from support_agents.domain.origins import Origin


async def loopback(_host: str, _port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


@asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://docs.internal:{server.sockets[0].getsockname()[1]}/a", asked


def answered(body: bytes, *, head: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    return head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


FETCHER = PageFetcher(frozenset({"docs.internal"}), loopback, largest=1_000)


async def test_a_listed_private_page_is_fetched_from_the_address_that_was_checked() -> None:
    async with serving(answered(b"<p>Hi</p>")) as (url, asked):
        assert await FETCHER.fetch(url) == Ok(b"<p>Hi</p>")
    assert b"\r\nHost: docs.internal:" in asked[0]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answered(b"", head=b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n"), "status"),
        (answered(b"a" * 1_001), "too_large"),
        (answered(b"x", head=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"), "encoded"),
        (b"nonsense", "unreachable"),
    ],
)
async def test_what_answers_wrongly_is_refused(answer: bytes, code: str) -> None:
    async with serving(answer) as (url, asked):
        found = await FETCHER.fetch(url)
    assert isinstance(found, Failed)
    assert found.code == code
    assert len(asked) == 1


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:192.168.0.1", "fd00::1", "224.0.0.1", "0.0.0.0"],  # noqa: S104
)
async def test_private_addresses_are_never_asked(address: str) -> None:
    async def resolve(_host: str, _port: int) -> tuple[str, ...]:
        return ("93.184.215.14", address)

    found = await PageFetcher(resolve=resolve).fetch("https://shop.example/")
    assert isinstance(found, Failed)
    assert found.code == "private_address"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("https://user:pw@shop.example/", "invalid_url"),
        ("https://", "not_https"),
        ("https://shop.example:99999/x", "invalid_url"),
        ("https://xn--a.com/", "invalid_url"),
    ],
)
async def test_addresses_of_another_kind_are_refused(url: str, code: str) -> None:
    found = await PageFetcher(resolve=loopback).fetch(url)
    assert isinstance(found, Failed)
    assert found.code == code


async def test_with_a_list_no_other_host_is_asked_and_a_credential_goes_to_its_own_host_alone() -> None:
    async with serving(answered(b"Hi")) as (url, asked):
        listed = with_credential(f"http://docs.internal:{port_of(url)}")
        assert await listed.fetch(url) == Ok(b"Hi")
        assert await listed.fetch(url.replace("docs.", "cdn.")) == Ok(b"Hi")
        refused = await listed.fetch(url.replace("docs.", "other."))
    assert isinstance(refused, Failed)
    assert refused.code == "host_not_listed"
    assert [b"Bearer x" in head for head in asked] == [True, False]
    assert "Bearer x" not in repr(listed)


@pytest.mark.parametrize(
    "server", ["docs.internal", "https://docs.internal:{port}", "http://docs.internal", "http://docs.internal:1"]
)
async def test_a_credential_for_another_scheme_or_port_is_not_sent(server: str) -> None:
    async with serving(answered(b"Hi")) as (url, asked):
        refused = await with_credential(server.format(port=port_of(url))).fetch(url)
    assert isinstance(refused, Failed)
    assert refused.code == "not_the_credentials_server"
    assert "Bearer x" not in refused.message
    assert asked == []


def with_credential(server: str) -> PageFetcher:
    hosts = frozenset({"docs.internal", "cdn.internal"})
    return PageFetcher(hosts, loopback, hosts=hosts, credentials={Origin.parse(server): "Bearer x"})


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])

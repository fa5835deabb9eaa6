"""The way of the SDKs' requests: connections that are used again, closed ones that are not, limits, proxies."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import openai
import pytest

from support_agents.adapters.model_connections import AiohttpTransport, http_client

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
WORDS = (b"one", b"two", b"three")


@asynccontextmanager
async def answered(*pieces: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers every request with these pieces, one a little after the other, and keeps connections."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head + await reader.readexactly(4))
                writer.write(pieces[0])
                for piece in pieces[1:]:
                    await asyncio.sleep(0.03)
                    writer.write(piece)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", heads


@asynccontextmanager
async def served(*, stays: bool = True, ends: bool = True) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server of three words whose connections stay open, or are closed without a warning; and what it was sent."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head + await reader.readexactly(4))
                writer.write(HEAD + b"".join(b"%x\r\n%s\r\n" % (len(word), word) for word in WORDS))
                writer.write(b"0\r\n\r\n" if ends else b"")
                if not stays:
                    break
        except asyncio.IncompleteReadError:
            heads.append(b"hung up")
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", heads


@pytest.mark.parametrize("stays", [True, False], ids=["kept", "closed"])
async def test_one_request_follows_another(*, stays: bool) -> None:
    async with served(stays=stays) as (address, heads), http_client(openai.DefaultAsyncHttpxClient) as client:
        for _ in range(3):
            assert (await client.post(address, content=b"body")).content == b"onetwothree"
        assert [head[-4:] for head in heads[:3]] == [b"body"] * 3
        assert b"host: 127.0.0.1" in heads[0].lower()


async def test_what_has_come_is_read_at_once() -> None:
    async with (
        served() as (address, _),
        http_client(openai.DefaultAsyncHttpxClient) as client,
        client.stream("POST", address, content=b"body") as it,
    ):
        await asyncio.sleep(0.05)
        assert [piece async for piece in it.aiter_bytes()] == [b"onetwothree"]


async def test_an_answer_larger_than_what_is_held_comes_whole() -> None:
    piece = b"%x\r\n%s\r\n" % (65_536, b"." * 65_536)
    read = 0
    async with (
        answered(HEAD, piece * 40, piece * 40 + b"0\r\n\r\n") as (address, _),
        http_client(openai.DefaultAsyncHttpxClient) as client,
        client.stream("POST", address, content=b"body") as answer,
    ):
        async for some in answer.aiter_bytes():
            await asyncio.sleep(0.001)  # meanwhile more comes in than is held
            read += len(some)
    assert read == 80 * 65_536


async def test_a_stream_that_is_left_hangs_up() -> None:
    async with served(ends=False) as (address, heads), http_client(openai.DefaultAsyncHttpxClient) as client:
        async with client.stream("POST", address, content=b"body") as answer:
            assert await anext(answer.aiter_bytes())
        await asyncio.sleep(0.05)
        assert heads[-1] == b"hung up"


async def test_silence_is_a_time_limit_and_a_broken_answer_a_fault() -> None:
    async with served(ends=False) as (address, _), http_client(openai.DefaultAsyncHttpxClient) as client:
        with pytest.raises(httpx2.TimeoutException):
            await client.post(address, content=b"body", timeout=0.05)
    async with served(ends=False, stays=False) as (address, _), http_client(openai.DefaultAsyncHttpxClient) as client:
        with pytest.raises(httpx2.ReadError):
            await client.post(address, content=b"body")


async def test_what_comes_unasked_is_no_answer_to_the_next_request() -> None:
    """As one who gives up waiting for a request says so, or an intermediary answers twice."""
    first, unasked = (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + letter for letter in (b"1", b"2"))
    async with answered(first, unasked) as (address, heads), http_client(openai.DefaultAsyncHttpxClient) as client:
        for _ in range(3):
            assert (await client.post(address, content=b"body")).content == b"1"
            await asyncio.sleep(0.05)
        assert len(heads) == 3


async def test_a_body_that_goes_on_as_none_can_is_a_fault_at_once() -> None:
    async with (
        answered(HEAD + b"3\r\none\r\n", b"no number\r\n") as (address, _),
        http_client(openai.DefaultAsyncHttpxClient) as client,
    ):
        with pytest.raises(httpx2.ReadError):
            async with asyncio.timeout(2):
                await client.post(address, content=b"body", timeout=60)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_who_takes_no_more_of_a_request_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        async with asyncio.timeout(5), http_client(openai.DefaultAsyncHttpxClient) as client:
            with pytest.raises(httpx2.TimeoutException):
                await client.post(address, content=b"x" * 30_000_000, timeout=0.05)


@pytest.mark.parametrize("proxy", ["", "socks"], ids=["aiohttp", "usual"])
async def test_no_redirect_is_followed(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """Neither over aiohttp nor as it is where there is a proxy, here one for addresses that nobody asks."""
    if proxy:
        monkeypatch.setenv("FTP_PROXY", "http://127.0.0.1:9")
    async with (
        answered(b"HTTP/1.1 307 no\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n") as (address, heads),
        http_client(openai.DefaultAsyncHttpxClient) as client,
    ):
        assert (await client.post(address, content=b"body")).status_code == 307
        assert len(heads) == 1


@pytest.mark.parametrize("headers", [b"x: " + b"a" * 60_000 + b"\r\n", b"x: a\r\n" * 200], ids=["long", "many"])
async def test_headers_may_be_long_and_many(headers: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + headers + b"content-length: 1\r\n\r\n1"
    async with answered(answer) as (address, _), http_client(openai.DefaultAsyncHttpxClient) as client:
        assert (await client.post(address, content=b"body")).content == b"1"


async def test_whom_an_address_names_is_told_in_a_header() -> None:
    async with (
        answered(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1") as (address, heads),
        http_client(openai.DefaultAsyncHttpxClient) as client,
    ):
        await client.post(address.replace("://", "://us:pw@"), content=b"body", headers={"authorization": "Bearer k"})
        assert b"authorization: Basic dXM6cHc=\r\n" in heads[0]
        with pytest.raises(httpx2.TransportError) as caught:
            await client.post(address, content=b"body", headers={"authorization": "Bearer k\r\nx: y"})
        assert "Bearer" not in str(caught.value)
        assert len(heads) == 1


async def test_who_reads_when_the_client_is_closed_is_told() -> None:
    async with served(ends=False) as (address, _):
        client = http_client(openai.DefaultAsyncHttpxClient)
        reading = asyncio.create_task(client.post(address, content=b"body", timeout=60))
        await asyncio.sleep(0.05)
        await client.aclose()
        with pytest.raises(httpx2.ReadError):
            await asyncio.wait_for(reading, 2)


async def test_nobody_there_is_a_fault_of_the_connection() -> None:
    async with http_client(openai.DefaultAsyncHttpxClient) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.post("http://127.0.0.1:9/", content=b"body")


async def test_a_proxy_of_the_environment_is_the_clients_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    async with http_client(openai.DefaultAsyncHttpxClient) as client:
        assert isinstance(client._transport, AiohttpTransport)
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with http_client(openai.DefaultAsyncHttpxClient) as client:
        assert not isinstance(client._transport, AiohttpTransport)

"""The API on real sockets: modes, tokens, taken ports, stopping."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import unix_connect

from pbx.api.app import create_app
from pbx.api.serving import ApiServer, serve_api
from pbx.errors import Refused
from tests.api.office_double import Key, OfficeDouble


def play(path: Path, scenario: Callable[[ApiServer, OfficeDouble], Awaitable[None]]) -> None:
    async def served() -> None:
        office = OfficeDouble()
        office.directory.keys = {"r": Key("reader", "read")}
        server = await serve_api(create_app(office), path, "127.0.0.1", 0)
        try:
            await scenario(server, office)
        finally:
            await server.stop()

    asyncio.run(served())


def test_the_socket_is_its_owners_and_everything_on_it_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"

    async def scenario(_: ApiServer, office: OfficeDouble) -> None:
        assert path.stat().st_mode & 0o777 == 0o600
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, base_url="http://callpbx") as client:
            added = await client.post("/api/v1/extensions", json={"number": "101"})
        assert added.status_code == 201
        assert "101" in office.directory.phones

    play(path, scenario)
    assert not path.exists()


def test_tcp_needs_a_token(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: OfficeDouble) -> None:
        async with httpx.AsyncClient(base_url=server.url or "") as client:
            refused = await client.get("/api/v1/calls")
            token = {"Authorization": "Bearer r"}
            allowed = await client.get("/api/v1/calls", headers=token)
        assert (refused.status_code, allowed.status_code) == (401, 200)
        assert "server" not in allowed.headers

    play(tmp_path / "api.sock", scenario)


def test_events_stream_over_the_socket_and_end_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"

    async def scenario(server: ApiServer, _: OfficeDouble) -> None:
        async with unix_connect(str(path), "ws://callpbx/api/v1/events") as events:
            stopping = asyncio.create_task(server.stop())
            with pytest.raises(Exception, match="1012"):
                await events.recv()
            await stopping

    async def served() -> None:
        server = await serve_api(create_app(OfficeDouble()), path, "127.0.0.1", 0)
        await scenario(server, OfficeDouble())

    asyncio.run(served())


def test_a_taken_port_is_one_warning_and_the_socket_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def served() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            path = tmp_path / "api.sock"
            server = await serve_api(create_app(OfficeDouble()), path, "127.0.0.1", port)
            assert server.url is None
            assert path.is_socket()
            await server.stop()

    with caplog.at_level(logging.WARNING):
        asyncio.run(served())
    (record,) = caplog.records
    assert "the command line uses the socket" in record.getMessage()


def test_a_socket_that_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async def scenario(_: ApiServer, __: OfficeDouble) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.close()
        await writer.wait_closed()
        del reader

    play(path, scenario)


def test_a_path_too_long_for_a_socket_is_explained(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120) / "api.sock"
    with pytest.raises(Refused, match="longer than 107 bytes; move the office"):
        asyncio.run(serve_api(create_app(OfficeDouble()), path, "127.0.0.1", 0))


def test_signals_stay_the_servers(tmp_path: Path) -> None:
    received = []

    async def scenario(_: ApiServer, __: OfficeDouble) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: received.append("SIGTERM"))
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        loop.remove_signal_handler(signal.SIGTERM)

    play(tmp_path / "api.sock", scenario)
    assert received == ["SIGTERM"]

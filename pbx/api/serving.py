"""Runs the application inside the server's event loop: on the Unix socket, and on TCP.

The Unix socket is made with mode 0600 before anybody can connect, and what comes that way is the
administrator's. TCP is for programs with a token; if its port is taken, that is one warning and no
more, because the command line needs only the socket. uvicorn brings the protocols; signals, logging
and the lifetime of the process stay the server's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Generator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from pbx.api.access import Administrator
from pbx.errors import Refused

log = logging.getLogger(__name__)

GRACE = 1  # seconds that open requests get when the server stops
MAX_SOCKET_PATH = 107  # bytes, sun_path of unix(7) without its final zero
MAX_MESSAGE = 65536  # bytes that a WebSocket client may send at once; nothing is expected
BACKLOG = 128


class _Listener(uvicorn.Server):
    """uvicorn without its hands on the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the server."""
        yield


class ApiServer:
    """The API on its addresses. Made by `serve_api`."""

    def __init__(self, app: ASGIApp, unix: socket.socket, tcp: socket.socket | None) -> None:
        self._path = Path(unix.getsockname())
        self.url = _url(tcp) if tcp else None
        """Where TCP listens, None where its port was taken."""
        self._listeners = [(_listener(Administrator(app)), unix)]
        if tcp is not None:
            self._listeners.append((_listener(app), tcp))
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to answer; returns when requests are accepted."""
        self._running = [
            asyncio.create_task(listener.serve(sockets=[listening]), name="api")
            for listener, listening in self._listeners
        ]
        while not all(listener.started for listener, _ in self._listeners):
            for task in self._running:
                if task.done():
                    task.result()  # raises what kept it from starting
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        """Finish open requests, at most `GRACE` seconds, close WebSockets, remove the socket."""
        for listener, _ in self._listeners:
            listener.should_exit = True
        await asyncio.gather(*self._running)
        self._path.unlink(missing_ok=True)


async def serve_api(app: ASGIApp, socket_path: Path, host: str, port: int) -> ApiServer:
    """Serve `app` on a Unix socket and on `host:port`; port 0 takes any free one.

    A socket file that is there already is replaced: the caller holds the office's lock. Raises
    Refused where the Unix socket cannot be made.
    """
    tcp = _open_tcp(host, port)
    try:
        unix = _open_unix(socket_path)
    except OSError as error:
        if tcp is not None:
            tcp.close()
        raise Refused(f"{socket_path} cannot be made: {error.strerror or error}") from error
    server = ApiServer(app, unix, tcp)
    await server.start()
    return server


def _listener(app: ASGIApp) -> _Listener:
    config = uvicorn.Config(
        app,
        loop="none",
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
    )
    return _Listener(config)


def _open_unix(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise OSError(f"the path is longer than {MAX_SOCKET_PATH} bytes; move the office")
    path.unlink(missing_ok=True)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(os.fspath(path))
        path.chmod(0o600)  # nobody can connect before uvicorn listens
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened


def _open_tcp(host: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(BACKLOG)
        opened.setblocking(False)
    except OSError as error:
        opened.close()
        log.warning(
            "the API cannot listen on %s port %d (%s); the command line uses the socket",
            host,
            port,
            error.strerror,
        )
        return None
    return opened


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

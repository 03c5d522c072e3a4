"""What tests of commands stand on: an office in a folder, and a server of doubles on its socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pbx.api.app import create_app
from pbx.api.lock import hold_lock
from pbx.api.serving import serve_api
from pbx.cli import run
from pbx.config import Home
from tests.api.office_double import OfficeDouble

Ran = tuple[int, str, str]
"""Exit status, stdout, stderr."""

Command = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Give a fresh office's paths; nothing is in it."""
    return Home(tmp_path / "office")


@pytest.fixture
def command(home: Home, capsys: pytest.CaptureFixture[str]) -> Command:
    """Give what runs `callpbx --home HOME …`."""

    def ran(*words: str) -> Ran:
        capsys.readouterr()
        status = run(["--home", str(home.path), *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return ran


@pytest.fixture
def office(home: Home, command: Command) -> Home:
    """Give an office with its files and database, and no server."""
    assert command("init", str(home.path))[0] == 0
    return home


@pytest.fixture
def live(home: Home) -> Iterator[OfficeDouble]:
    """Let a server of doubles answer on the office's socket."""
    home.make_folders()
    home.database.touch(mode=0o600)
    double = OfficeDouble()
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def served() -> None:
        server = await serve_api(create_app(double), home.socket, "127.0.0.1", 0)
        ready.set()
        await stop.wait()
        await server.stop()

    def serve() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(served())

    with hold_lock(home.lock):
        serving = threading.Thread(target=serve)
        serving.start()
        assert ready.wait(10)
        yield double
        loop.call_soon_threadsafe(stop.set)
        serving.join()

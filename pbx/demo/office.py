"""An office of its own in a folder: made, filled, served and asked by the same commands that a
person types.

The server is a process of its own (`callpbx serve`), so that what is shown or tested is the real
thing, its exit code included. `cli` runs one command; `ask` runs one with `--json` and returns what
it says. Commands run in this process: the start of another one would take longer than they do.
"""

from __future__ import annotations

import io
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Self

from pbx.cli import run as run_command

READY = "callpbx ready "
START_S = 45.0
STOP_S = 15.0
"""Seconds that a start and a stop last at most."""

COMMAND = (sys.executable, "-c", "from pbx.cli import main; main()")

Settings = Mapping[str, Mapping[str, object] | object]


class OfficeError(RuntimeError):
    """The office did not do what it was told; the text holds its own words."""


class Office:
    """One office folder and, between `start` and `stop`, its server.

    `settings` are written as callpbx.yaml over what `init` made, `dialplan` as dialplan.yaml.
    `environment` is what that of the server has besides ours.
    """

    def __init__(
        self, folder: Path, *, settings: Settings | None = None, dialplan: str | None = None
    ) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self.ready = ""
        self._server: subprocess.Popen[str] | None = None
        self.cli("init", str(folder), home=False)
        if settings is not None:
            # JSON is YAML, so no YAML library is needed to write it.
            (folder / "callpbx.yaml").write_text(json.dumps(settings, indent=2) + "\n")
        if dialplan is not None:
            (folder / "dialplan.yaml").write_text(dialplan)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Return the server's process id; raises OfficeError when it does not run."""
        if self._server is None or self._server.poll() is not None:
            raise OfficeError(f"the server does not run:\n{self.errors()}")
        return self._server.pid

    def cli(self, *arguments: str, home: bool = True) -> str:
        """Run `callpbx ARGUMENTS` and return its output; raises OfficeError when it is refused."""
        ran = self.run(*arguments, home=home)
        if ran.returncode != 0:
            raise OfficeError(f"callpbx {' '.join(arguments)}: {ran.stderr or ran.stdout}")
        return ran.stdout

    def run(self, *arguments: str, home: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `callpbx ARGUMENTS` and return how it ended, whatever that is."""
        place = ("--home", str(self.folder)) if home else ()
        output, errors = _paper(), _paper()
        with redirect_stdout(output), redirect_stderr(errors):
            status = run_command([*place, *arguments])
        return subprocess.CompletedProcess(arguments, status, _read(output), _read(errors))

    def ask(self, *arguments: str) -> Any:
        """Run a reading command with `--json` and return what it answers."""
        return json.loads(self.cli(*arguments, "--json"))

    def add_extension(self, number: str, password: str, *options: str) -> None:
        """Add an extension to the directory."""
        self.cli("extension", "add", number, "--password", password, *options)

    def start(self) -> str:
        """Start the server and return its line that begins with READY."""
        errors = self._errors_file.open("a")
        self._server = subprocess.Popen(
            [*COMMAND, "--home", str(self.folder), "serve"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
        )
        errors.close()
        self.ready = self._wait_until_ready(self._server)
        return self.ready

    def _wait_until_ready(self, server: subprocess.Popen[str]) -> str:
        assert server.stdout
        deadline = time.monotonic() + START_S
        with selectors.DefaultSelector() as selector:
            selector.register(server.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                line = server.stdout.readline()
                if line.startswith(READY):
                    return line.strip()
                if not line:
                    break
        self.kill()
        raise OfficeError(f"the server did not become ready:\n{self.errors()}")

    def stop(self) -> int:
        """Send SIGTERM, wait, and return the exit code."""
        if self._server is None:
            raise OfficeError("the server was never started")
        self._server.send_signal(signal.SIGTERM)
        return self._reap(STOP_S)

    def wait(self) -> int:
        """Wait until a server that was told to stop has ended, and return the exit code."""
        return self._reap(STOP_S)

    def kill(self) -> None:
        """End the server at once, as a power cut does. Does nothing when it does not run."""
        if self._server is not None:
            self._server.kill()
            self._reap(STOP_S)

    def _reap(self, timeout: float) -> int:
        assert self._server
        try:
            return self._server.wait(timeout)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
            raise OfficeError(
                f"no exit within {timeout:g} s of SIGTERM:\n{self.errors()}"
            ) from None
        finally:
            if self._server.stdout:
                self._server.stdout.close()
            self._server = None

    @property
    def _errors_file(self) -> Path:
        return self.folder / "stderr.log"

    def errors(self) -> str:
        """Return what the server has written to stderr so far."""
        return self._errors_file.read_text() if self._errors_file.exists() else ""


def _paper() -> io.TextIOWrapper:
    """Return what a command can print to, text and octets."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _read(paper: io.TextIOWrapper) -> str:
    paper.seek(0)
    return paper.read()

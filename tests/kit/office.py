"""The office that interop tests and benchmarks call through: fixed ports, known extensions, quick
ways to ask it.

It is the demo's office (pbx/demo/office.py) with settings that suit a network namespace of its own.
"""

from __future__ import annotations

import atexit
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx

from pbx.demo.office import Office, OfficeError
from pbx.sip.flow import bracket
from pbx.sip.tls import TlsFiles
from tests.kit.tones import tone, write_wav

__all__ = ["Office", "OfficeError", "OfficeMaker", "TestedOffice", "eventually"]

T = TypeVar("T")

KINDS = ("udp", "tcp")
TLS_PORT = 5061
EXTENSIONS = ("101", "102", "103", "104")

Record = dict[str, Any]

MUSIC_HZ = 1470
"""The hold music of the office is a tone too, which no party speaks."""


class TestedOffice(Office):
    """An office with extensions 101–104 on port 5060 of `host`, and a dialplan that names
    `numbers`: extensions, or where each leads.

    `passwords` holds what each extension registers with. `rooms` are lines of `conferences:`, by
    number; `workers` how many media workers there are, None for auto; `codecs` what is spoken. With
    `tls` it listens on TLS too. `dialplan` is the whole file in place of those two, `settings` are
    other sections of callpbx.yaml, `clock` is the UTC time at which the server believes to begin,
    such as "2026-10-01 01:30:00".
    """

    __test__ = False  # not a class of tests, whatever its name begins with

    def __init__(
        self,
        folder: Path,
        *,
        hosts: Sequence[str] = ("127.0.0.1",),
        numbers: Iterable[str] = (),
        media_ports: str = "10000-10399",
        rooms: Mapping[str, str] | None = None,
        workers: int | None = None,
        codecs: Sequence[str] = (),
        tls: TlsFiles | None = None,
        srtp_over_plain: bool = False,
        dialplan: str | None = None,
        settings: Mapping[str, object] | None = None,
        clock: str | None = None,
    ) -> None:
        self.servers = [f"{bracket(host)}:5060" for host in hosts]
        self.server = self.servers[0]
        if dialplan is None:
            dialplan = _dialplan(numbers, rooms)
        media: dict[str, object] = {"ports": media_ports}
        if workers is not None:
            media["workers"] = workers
        if codecs:
            media["codecs"] = list(codecs)
        if srtp_over_plain:
            media["srtp_over_plain"] = True
        listen = [f"{kind}://{server}" for server in self.servers for kind in KINDS]
        sip: dict[str, object] = {"listen": listen}
        if tls is not None:
            files = {"certificate": tls.certificate, "key": tls.key, "ca": tls.ca}
            sip |= {name: str(path) for name, path in files.items() if path is not None}
            listen.append(f"tls://{bracket(hosts[0])}:{TLS_PORT}")
        super().__init__(
            folder,
            settings={
                "sip": sip,
                "media": media,
                **(settings or {}),
            },
            dialplan=dialplan,
        )
        if clock is not None:
            self.environment |= fake_clock(clock)
        self.passwords: dict[str, str] = {}
        music = folder / "sounds" / "music"
        music.mkdir(parents=True, exist_ok=True)
        write_wav(music / "tone.wav", tone(MUSIC_HZ, 5.0))

    def start(self) -> str:
        """Start the server; the first time, give it the extensions."""
        _link_all(_spoken(), self.folder / "var" / "sounds")
        ready = super().start()
        if not self.passwords:
            self.add_extensions((number, f"phone-{number}-secret") for number in EXTENSIONS)
        return ready

    def stop(self) -> int:
        """Stop the server; what it said aloud, the next office need not render again."""
        status = super().stop()
        _link_all(self.folder / "var" / "sounds", _spoken())
        return status

    def uri(self, number: str, *, server: int = 0) -> str:
        """Return how a phone dials a number of this office, at its address number `server`."""
        return f"sip:{number}@{self.servers[server]}"

    def tls_uri(self, number: str) -> str:
        """Return how a phone dials a number of this office by TLS, but for the transport."""
        return f"sip:{number}@{self.servers[0].removesuffix(':5060')}:{TLS_PORT}"

    def api(self) -> httpx.Client:
        """Return an HTTP client on the running server's Unix socket; close it after use."""
        transport = httpx.HTTPTransport(uds=str(self.folder / "var" / "callpbx.sock"))
        return httpx.Client(transport=transport, base_url="http://callpbx/api/v1", timeout=30)

    def add_extensions(self, users: Iterable[tuple[str, str]]) -> None:
        """Add many extensions, with passwords, to the running office."""
        with self.api() as api:
            for number, password in users:
                self.passwords[number] = password
                body = {"number": number, "password": password}
                api.post("/extensions", json=body).raise_for_status()

    def records(self, count: int, *, timeout: float = 5.0) -> list[Record]:
        """Return the newest records once there are `count`; more than that is an error."""
        limit = str(count + 1)
        rows: list[Record] = eventually(
            lambda: self.ask("cdr", "list", "--limit", limit),
            lambda rows: len(rows) >= count,
            timeout=timeout,
        )
        assert len(rows) == count, f"{len(rows)} records instead of {count}"
        return rows

    def record(self) -> Record:
        """Return the one record that there is."""
        return self.records(1)[0]

    def add_load_trunk(self, port: int, *, name: str = "load") -> None:
        """Let calls in from 127.0.0.1:`port` as from a carrier."""
        server = f"sip:127.0.0.1:{port}"
        self.cli("trunk", "add", name, "--server", server, "--match", f"127.0.0.1:{port}")

    def add_fixed_phone(self, number: str, port: int) -> None:
        """Add an extension that never registers and lives at 127.0.0.1:`port`."""
        self.add_extension(number, "unused-secret", "--contact", f"sip:{number}@127.0.0.1:{port}")


@cache
def _spoken() -> Path:
    """Return the folder of what was rendered so far in this run; files are named by content."""
    folder = tempfile.TemporaryDirectory(prefix="callpbx-spoken-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _link_all(source: Path, target: Path) -> None:
    """Let `target` have the sounds of `source` too, of which each came into being whole."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.glob("*.wav") if source.is_dir() else ():
        if not (target / file.name).exists():
            os.link(file, target / file.name)


def fake_clock(clock: str) -> dict[str, str]:
    """Return the environment in which a process believes that it starts at `clock` (UTC).

    libfaketime is loaded without its command `faketime`, which would be in the way of signals; the
    monotonic clock stays as it is.
    """
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"@{clock}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }


def _dialplan(numbers: Iterable[str], rooms: Mapping[str, str] | None) -> str:
    dialplan = "version: 1\n"
    if numbers:
        leads = numbers if isinstance(numbers, Mapping) else {n: f"ext:{n}" for n in numbers}
        lines = (f'  "{number}": {where}\n' for number, where in leads.items())
        dialplan += "numbers:\n" + "".join(lines)
    if rooms:
        lines = (f'  "{name}": {{{rules}}}\n' for name, rules in rooms.items())
        dialplan += "conferences:\n" + "".join(lines)
    return dialplan


class OfficeMaker(Protocol):
    """Makes an office that is not started yet; what the arguments mean, `TestedOffice` says."""

    def __call__(
        self,
        *,
        hosts: Sequence[str] = ...,
        numbers: Iterable[str] = ...,
        media_ports: str = ...,
        rooms: Mapping[str, str] | None = ...,
        workers: int | None = ...,
        codecs: Sequence[str] = ...,
        dialplan: str | None = ...,
        settings: Mapping[str, object] | None = ...,
        clock: str | None = ...,
    ) -> TestedOffice:
        """Make the office in a folder of its own."""


def eventually(
    read: Callable[[], T], until: Callable[[T], bool], *, timeout: float = 10.0, every: float = 0.1
) -> T:
    """Read again and again until the value is as wanted; AssertionError shows the last value."""
    deadline = time.monotonic() + timeout
    while not until(value := read()):
        assert time.monotonic() < deadline, f"still {value!r} after {timeout:g} s"
        time.sleep(every)
    return value

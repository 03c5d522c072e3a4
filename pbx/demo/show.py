"""What the demo shows, in the order in which it happens.

An office is made in a temporary folder and served on loopback; Alice (101) and Bob (102) register,
talk, and Alice calls the echo test. Each phone speaks a tone of its own and records what it hears;
a Fourier transform names the speakers. For each call follow the ladder and the record, by the
commands that anybody can type. Every expectation is a `Check`; the demo ends with 0 only if all
hold.
"""

from __future__ import annotations

import importlib.util
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pbx.demo.driver import PhoneError, SoftCall, SoftPhone
from pbx.demo.office import Office, OfficeError
from pbx.demo.tones import heard, read_wav

HOST = "127.0.0.1"
ALICE, BOB, ECHO = "101", "102", "*43"
TONE = {ALICE: 430, BOB: 690}
NAME = {ALICE: "Alice", BOB: "Bob"}
LISTEN_S = 1.5
SETTLE_S = 0.5
"""Seconds that are recorded, and the part at the start in which a jitter buffer may still fill."""

NO_PHONE = (
    "The demo needs a real soft phone, pjsua2, which is not installed here: "
    "pip install 'callpbx[phone]' (for Linux on x86-64 with Python 3.12 or older)."
)


@dataclass(frozen=True)
class Check:
    """One expectation and whether it held; `found` says what was there instead."""

    expected: str
    holds: bool
    found: str = ""


def run() -> int:
    """Show everything on the terminal; return the exit code."""
    if importlib.util.find_spec("pjsua2") is None:
        Console(stderr=True, highlight=False).print(NO_PHONE, markup=False, soft_wrap=True)
        return 1
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="callpbx-demo-") as folder:
        try:
            checks = list(_perform(console, Path(folder)))
        except (OfficeError, PhoneError) as error:
            console.print(f"\n[bold red]The demo could not go on.[/] {error}")
            return 1
    return _conclude(console, checks)


@dataclass
class Stage:
    """Where it plays: the terminal, the office with its SIP address, the phones by number."""

    console: Console
    office: Office
    address: str
    phones: dict[str, SoftPhone]

    def uri(self, number: str) -> str:
        """Return how a phone dials."""
        return f"sip:{number}@{self.address}"

    def headline(self, text: str) -> None:
        """Begin a new scene."""
        self.console.print()
        self.console.rule(f"[bold]{text}", align="left", style="dim")


def _perform(console: Console, folder: Path) -> Iterator[Check]:
    """Act out the demo; yield what was to be proven."""
    with ExitStack() as stack:
        address = f"{HOST}:{_free_port()}"
        office = stack.enter_context(_make_office(folder / "office", address))
        stage = Stage(console, office, address, {})

        stage.headline("An office of its own, on loopback")
        console.print(office.start(), markup=False, soft_wrap=True)

        stage.headline("Two phones register")
        for number, name in NAME.items():
            office.add_extension(number, _password(number), "--name", name)
            stage.phones[number] = stack.enter_context(SoftPhone(name.lower(), folder))
            stack.callback(stage.phones[number].quit)
            stage.phones[number].register(stage.uri(number), _password(number))
        yield from _show_registrations(stage)

        stage.headline("Alice calls Bob; each speaks a tone of its own")
        yield from _talk(stage)

        stage.headline("Alice calls the echo test")
        yield from _call_echo(stage)

        code = office.stop()
        yield Check("the server stops with exit code 0", code == 0, f"it was {code}")


def _make_office(folder: Path, address: str) -> Office:
    return Office(
        folder,
        settings={
            "sip": {"listen": [f"udp://{address}", f"tcp://{address}"]},
            "api": {"listen": f"http://{HOST}:{_free_port()}"},
        },
    )


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _password(number: str) -> str:
    return f"demo-{number}-phone"


def _show_registrations(stage: Stage) -> Iterator[Check]:
    _show_command(stage, "registrations")
    numbers = {row["number"] for row in stage.office.ask("registrations")}
    yield Check("both phones are registered", numbers == set(NAME), f"registered: {numbers}")


def _talk(stage: Stage) -> Iterator[Check]:
    call = stage.phones[ALICE].dial(stage.uri(BOB))
    answered = stage.phones[BOB].incoming()
    call.wait("early")
    answered.answer()
    call.wait("confirmed")
    answered.wait("confirmed")
    call.play(TONE[ALICE])
    answered.play(TONE[BOB])
    yield from _listen(stage, [(ALICE, call, {TONE[BOB]}), (BOB, answered, {TONE[ALICE]})])
    answered.hang_up()
    call.wait("disconnected")
    yield from _tell(stage, called=BOB, ended_by="called")


def _call_echo(stage: Stage) -> Iterator[Check]:
    call = stage.phones[ALICE].dial(stage.uri(ECHO))
    call.wait("confirmed")
    call.play(TONE[ALICE])
    yield from _listen(stage, [(ALICE, call, {TONE[ALICE]})])
    call.hang_up()
    call.wait("disconnected")
    yield from _tell(stage, called=ECHO, ended_by="caller")


def _listen(stage: Stage, ears: list[tuple[str, SoftCall, set[int]]]) -> Iterator[Check]:
    """Record at each ear in turn, show who heard what, and yield whether it was right."""
    table = Table("", "should hear", "hears", "", box=None, padding=(0, 3, 0, 0))
    for number, call, expected in ears:
        found = heard(read_wav(call.record(LISTEN_S)).part(SETTLE_S))
        right = found == expected
        table.add_row(NAME[number], _tones(expected), _tones(found), _mark(right))
        yield Check(f"{NAME[number]} hears {_tones(expected)}", right, f"heard {_tones(found)}")
    stage.console.print(table)


def _tell(stage: Stage, *, called: str, ended_by: str) -> Iterator[Check]:
    """Show the newest call's ladder and record; yield whether the record is right."""
    record = stage.office.ask("cdr", "list", "--limit", "1")[0]
    _show_command(stage, "trace", record["id"])
    _show_command(stage, "cdr", "show", record["id"])
    wanted = {"result": "answered", "ended_by": ended_by, "cause": 16, "sip_status": 200}
    found = {key: record[key] for key in wanted}
    numbers = (record["caller"]["number"], record["called"]["number"])
    yield Check(
        f"the record of the call to {called} is right",
        found == wanted and numbers == (ALICE, called) and record["duration_s"] >= LISTEN_S,
        f"{numbers} {found} duration_s={record['duration_s']}",
    )


def _show_command(stage: Stage, *command: str) -> None:
    """Show a command and what it prints, as it would look when typed."""
    stage.console.print(f"\n[bold]$ callpbx {' '.join(command)}[/]")
    stage.console.print(stage.office.cli(*command).rstrip(), markup=False, soft_wrap=True)


def _tones(tones: set[int]) -> str:
    return " and ".join(f"{hz} Hz" for hz in sorted(tones)) or "silence"


def _mark(right: bool) -> str:
    return "[green]✔[/]" if right else "[red]✘[/]"


def _conclude(console: Console, checks: list[Check]) -> int:
    console.print()
    for check in checks:
        found = "" if check.holds else f": {check.found}"
        console.print(f"{_mark(check.holds)} {check.expected}{found}")
    wrong = sum(not check.holds for check in checks)
    if wrong:
        console.print(f"\n[bold red]{wrong} of {len(checks)} were wrong.[/]")
        return 1
    console.print(f"\n[bold green]All {len(checks)} were right.[/]")
    return 0

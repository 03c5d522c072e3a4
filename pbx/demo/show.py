"""What the demo shows, in the order in which it happens.

An office is made in a temporary folder and served on loopback; Alice (101) and Bob (102) register,
talk, Alice calls the echo test, and then a menu (menu.py). Each phone speaks a tone of its own and
records what it hears; a Fourier transform names the speakers. For each call follow the ladder and
the record, by the commands that anybody can type. The demo ends with 0 only if all that it
expects holds.
"""

from __future__ import annotations

import importlib.util
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from pbx.demo import menu
from pbx.demo.driver import PhoneError, SoftPhone
from pbx.demo.office import Office, OfficeError
from pbx.demo.stage import ALICE, BOB, NAME, TONE, Check, Stage, mark

HOST = "127.0.0.1"
ECHO = "*43"

NO_PHONE = (
    "The demo needs a real soft phone, pjsua2, which is not installed here: "
    "pip install 'callpbx[phone]' (for Linux on x86-64 with Python 3.12 or older)."
)


def run() -> int:
    """Show everything on the terminal; return the exit code."""
    if importlib.util.find_spec("pjsua2") is None:
        Console(stderr=True, highlight=False).print(NO_PHONE, markup=False, soft_wrap=True)
        return 1
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="callpbx-demo-") as folder:
        address = f"{HOST}:{_free_port()}"
        with _make_office(Path(folder) / "office", address) as office:
            stage = Stage(console, office, address)
            try:
                _perform(stage, Path(folder))
            except (OfficeError, PhoneError) as error:
                stage.expect("the demo comes to its end", holds=False, found=str(error))
    return _conclude(console, stage.checks)


def _perform(stage: Stage, folder: Path) -> None:
    """Act out the demo; the phones keep their files in `folder`."""
    office = stage.office
    marks = menu.furnish(office)
    with ExitStack() as stack:
        stage.headline("An office of its own, on loopback")
        stage.write(office.start())

        stage.headline("Two phones register")
        for number, name in NAME.items():
            office.add_extension(number, _password(number), "--name", name)
            stage.phones[number] = stack.enter_context(SoftPhone(name.lower(), folder))
            stack.callback(stage.phones[number].quit)
            stage.phones[number].register(stage.uri(number), _password(number))
        _show_registrations(stage)

        stage.headline("Alice calls Bob; each speaks a tone of its own")
        _talk(stage)

        stage.headline("Alice calls the echo test")
        _call_echo(stage)

        stage.headline("The dialplan: hours, a menu, a box for messages")
        menu.show_dialplan(stage)

        stage.headline(f"Alice calls {menu.FRONT_DOOR} and presses 1: Bob's phone rings")
        menu.call_bob(stage, marks)

        stage.headline(f"Alice calls {menu.FRONT_DOOR} and presses 2 at once: she leaves a message")
        menu.leave_message(stage, marks)

        code = office.stop()
        stage.expect("the server stops with exit code 0", code == 0, f"it was {code}")


def _make_office(folder: Path, address: str) -> Office:
    return Office(
        folder,
        settings={
            "sip": {"listen": [f"udp://{address}", f"tcp://{address}"]},
            "api": {"listen": f"http://{HOST}:{_free_port()}"},
        },
        dialplan=menu.DIALPLAN,
    )


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _password(number: str) -> str:
    return f"demo-{number}-phone"


def _show_registrations(stage: Stage) -> None:
    stage.show_command("registrations")
    numbers = {row["number"] for row in stage.office.ask("registrations")}
    stage.expect("both phones are registered", numbers == set(NAME), f"registered: {numbers}")


def _talk(stage: Stage) -> None:
    call = stage.dial(ALICE, BOB)
    answered = stage.phones[BOB].incoming()
    call.wait("early")
    answered.answer()
    call.wait("confirmed")
    answered.wait("confirmed")
    call.play(TONE[ALICE])
    answered.play(TONE[BOB])
    stage.listen({ALICE: (call, {TONE[BOB]}), BOB: (answered, {TONE[ALICE]})})
    answered.hang_up()
    call.wait("disconnected")
    record = stage.next_record()
    stage.tell(record, called=BOB, path=[f"ext:{BOB}"], ended_by="called")


def _call_echo(stage: Stage) -> None:
    call = stage.dial(ALICE, ECHO)
    call.wait("confirmed")
    call.play(TONE[ALICE])
    stage.listen({ALICE: (call, {TONE[ALICE]})})
    call.hang_up()
    call.wait("disconnected")
    record = stage.next_record()
    stage.tell(record, called=ECHO, path=["feature:echo"], ended_by="caller")


def _conclude(console: Console, checks: list[Check]) -> int:
    console.print()
    for check in checks:
        found = "" if check.holds else f": {check.found}"
        console.print(f"{mark(check.holds)} {check.expected}", end="")
        console.print(found, markup=False, soft_wrap=True)
    wrong = sum(not check.holds for check in checks)
    if wrong:
        console.print(f"\n[bold red]{wrong} of {len(checks)} were wrong.[/]")
        return 1
    console.print(f"\n[bold green]All {len(checks)} were right.[/]")
    return 0

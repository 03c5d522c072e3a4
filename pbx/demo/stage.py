"""Where the demo plays: the terminal, the office, the phones; and what every scene does there.

Scenes show commands as if they were typed, let phones listen, and `expect` all that was to be
proven.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from pbx.demo.driver import SoftCall, SoftPhone
from pbx.demo.office import Office, OfficeError
from pbx.demo.tones import heard, read_wav

ALICE, BOB = "101", "102"
TONE = {ALICE: 430, BOB: 690}
NAME = {ALICE: "Alice", BOB: "Bob"}

LISTEN_S = 1.5
SETTLE_S = 0.5
"""Seconds that are recorded, and the part at the start in which a jitter buffer may still fill."""

RECORD_S = 5.0
LOOK_S = 0.05
"""Seconds that a record may take to be there, and between two looks."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One expectation and whether it held; `found` says what was there."""

    expected: str
    holds: bool
    found: str


@dataclass
class Stage:
    """The terminal, the office with its SIP address, the phones by number, what was proven."""

    console: Console
    office: Office
    address: str
    phones: dict[str, SoftPhone] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    _records: int = 0

    def dial(self, caller: str, number: str) -> SoftCall:
        """Let a phone call a number of the office."""
        return self.phones[caller].dial(self.uri(number))

    def uri(self, number: str) -> str:
        """Return how a phone dials."""
        return f"sip:{number}@{self.address}"

    def headline(self, text: str) -> None:
        """Begin a new scene."""
        self.console.print()
        self.console.rule(f"[bold]{text}", align="left", style="dim")

    def write(self, text: str) -> None:
        """Print text as it is."""
        self.console.print(text, markup=False, soft_wrap=True)

    def show_command(self, *command: str) -> None:
        """Show a command and what it prints, as it would look when typed."""
        self.type(*command)
        self.write(self.office.cli(*command).rstrip())

    def type(self, *command: str) -> None:
        """Show a command."""
        self.console.print()
        self.console.print(f"$ callpbx {' '.join(command)}", style="bold", markup=False)

    def expect(self, expected: str, holds: bool, found: str) -> None:
        """Note an expectation, and whether it held; `found` is what was there."""
        self.checks.append(Check(expected, holds, found))

    def listen(self, ears: Mapping[str, tuple[SoftCall, set[int]]]) -> None:
        """Listen at all ears at once: each phone's call, and the tones that it should hear."""
        files = {number: call.listen() for number, (call, _) in ears.items()}
        time.sleep(LISTEN_S)
        table = Table("", "should hear", "hears", "", box=None, padding=(0, 3, 0, 0))
        for number, (call, expected) in ears.items():
            found = heard(read_wav(call.stop_listening(files[number])).part(SETTLE_S))
            right, who = found == expected, NAME[number]
            table.add_row(who, tones(expected), tones(found), mark(right))
            self.expect(f"{who} hears {tones(expected)}", right, f"heard {tones(found)}")
        self.console.print(table)

    def next_record(self) -> Record:
        """Return the record of the call that has just ended, as soon as it is there."""
        deadline = time.monotonic() + RECORD_S
        while True:
            rows: list[Record] = self.office.ask("cdr", "list")
            if len(rows) > self._records:
                self._records = len(rows)
                return rows[0]
            if time.monotonic() > deadline:
                raise OfficeError(f"no record of the call within {RECORD_S:g} s")
            time.sleep(LOOK_S)

    def tell(
        self,
        record: Record,
        *,
        called: str,
        path: list[str],
        ended_by: str,
        result: str = "answered",
    ) -> None:
        """Show a call's ladder and its record, which should be as said."""
        self.show_command("trace", record["id"])
        self.show_command("cdr", "show", record["id"])
        wanted = {
            "result": result,
            "ended_by": ended_by,
            "cause": 16,
            "sip_status": 200,
            "path": path,
        }
        found = {key: record[key] for key in wanted}
        numbers = (record["caller"]["number"], record["called"]["number"])
        self.expect(
            f"the record of the call to {called} is right",
            found == wanted and numbers == (ALICE, called) and record["duration_s"] >= LISTEN_S,
            f"{numbers} {found} duration_s={record['duration_s']}",
        )


def tones(hz: set[int]) -> str:
    """Return tones in words."""
    return " and ".join(f"{each} Hz" for each in sorted(hz)) or "silence"


def mark(right: bool) -> str:
    """Return the mark of what was right or wrong, coloured."""
    return "[green]✔[/]" if right else "[red]✘[/]"

"""SIPp: many phones at once, by scenarios of ours in tests/data/sipp/.

`Sipp` is one running process; `finish` waits for it and reads its statistics. Every file that it
writes lies in a folder of its own. The Debian build has no TLS, and its digest knows MD5 alone.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pbx.media.codecs.registry import ARRAY_CODECS
from tests.kit.programs import find
from tests.kit.tones import Sound

SCENARIOS = Path(__file__).parent.parent.parent / "data" / "sipp"


class SippError(RuntimeError):
    """SIPp did not start or did not end; the text holds its own last words."""


@dataclass(frozen=True)
class SippReport:
    """What one SIPp process counted over its life. `response_ms` is the mean of the first timer."""

    created: int
    succeeded: int
    failed: int
    retransmissions: int
    response_ms: float
    errors: str

    def __str__(self) -> str:
        counts = f"{self.created} created, {self.succeeded} succeeded, {self.failed} failed"
        return f"{counts}, {self.retransmissions} retransmissions\n{self.errors[-1500:]}"


@dataclass(frozen=True)
class Message:
    """A message that SIPp sent or received: seconds since the epoch, Call-ID, first line."""

    at: float
    sent: bool
    call_id: str
    first_line: str


def _message(line: str) -> Message:
    _date, _time, at, direction, call_id, _cseq, first_line = line.split("\t", 6)
    return Message(float(at), direction == "S", call_id, first_line)


class Sipp:
    """One SIPp process that plays one scenario.

    `calls` is how many calls it makes or takes in all before it ends by itself, `rate` calls a
    second, `pause_ms` what the scenario's `<pause/>` lasts. With `target` (HOST:PORT) it calls,
    without it answers. With `sounds` (for the scenario `talker`) each call speaks one of them, by
    its number, over and over. With `media_port` all its calls have their media there, where this
    process has nothing itself, and `remote_ports` are where they may be spoken to. A call of which
    nothing is heard for `patience_ms` fails. `callers` are who calls whom, each once and in order,
    in place of numbers of the scenario's own and of `number`.
    """

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *,
        port: int,
        target: str = "",
        calls: int = 0,
        rate: int = 10,
        pause_ms: int = 0,
        number: str = "",
        users: Path | None = None,
        callers: Sequence[tuple[str, str]] = (),
        at_once: int = 3000,
        transport: str = "u1",
        bind: str = "127.0.0.1",
        pin: str = "",
        log_messages: bool = False,
        retransmits: bool = True,
        sounds: Sequence[Sound] = (),
        media_port: int = 0,
        patience_ms: int = 32_000,
    ) -> None:
        self.folder = folder / f"sipp-{scenario}-{port}"
        self.folder.mkdir()
        played = SCENARIOS / f"{scenario}.xml"
        if sounds:
            played = _write_talker(self.folder, played.read_text(), sounds)
        if media_port:
            played = _write_elsewhere(self.folder, played.read_text(), media_port)
        if callers:
            played = _write_given(self.folder, played.read_text())
            users = write_callers(self.folder / "callers.csv", callers)
            calls = len(callers)
        command = ["taskset", "-c", pin] if pin else []
        command += [find("sipp") or "sipp", "-sf", str(played), "-nostdin"]
        command += ["-i", bind, "-p", str(port), "-t", transport, "-mi", bind]
        command += ["-l", str(at_once), "-trace_stat", "-stf", "statistics.csv", "-fd", "1"]
        command += ["-trace_err", "-error_file", "errors.log"]
        command += ["-trace_logs", "-log_file", "ports.log"] if media_port else []
        if calls:
            command += ["-m", str(calls)]
        if target:
            command += [target, "-r", str(rate), "-recv_timeout", str(patience_ms)]
        if target or pause_ms:
            command += ["-d", str(pause_ms)]
        if number:
            command += ["-s", number]
        if users:
            command += ["-inf", str(users)]
        if not retransmits:
            command += ["-nr"]
        if log_messages:
            command += ["-trace_shortmsg", "-shortmessage_file", "messages.csv"]
        self._output = (self.folder / "output").open("wb")
        self._process = subprocess.Popen(
            command, cwd=self.folder, stdout=self._output, stderr=self._output
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def finish(self, timeout: float) -> SippReport:
        """Wait until it has played all its calls; raises SippError after `timeout` seconds."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.stop()
            raise SippError(f"not done after {timeout:g} s: {self.report()}") from None
        return self.report()

    def stop(self) -> None:
        """End it now."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._output.close()

    def report(self) -> SippReport:
        """Return what was counted so far; statistics are written once a second and at the end."""
        rows = self._rows()
        if not rows:
            raise SippError(f"no statistics: {self._read('output')[-1500:]}")
        row = rows[-1]
        return SippReport(
            created=int(row["TotalCallCreated"]),
            succeeded=int(row["SuccessfulCall(C)"]),
            failed=int(row["FailedCall(C)"]),
            retransmissions=int(row["Retransmissions(C)"]),
            response_ms=_milliseconds(row.get("ResponseTime1(C)", "")),
            errors=self._read("errors.log"),
        )

    def invited(self) -> dict[str, float]:
        """Return the caller's number of each call that was begun → seconds since the epoch.

        Needs `log_messages`, and the scenario `caller`, which makes the number of the call's own.
        """
        begun: dict[str, float] = {}
        for message in self.messages():
            if message.first_line.startswith("INVITE"):
                begun.setdefault("5" + message.call_id.split("-")[0], message.at)
        return begun

    def messages(self) -> list[Message]:
        """Return all messages sent and received, in order. Needs `log_messages`."""
        return [_message(line) for line in self._read("messages.csv").splitlines()]

    def remote_ports(self) -> list[int]:
        """Return the port that the other side named for each call that was answered."""
        return [int(line) for line in self._read("ports.log").split() if line.isdigit()]

    def _rows(self) -> list[dict[str, str]]:
        text = self._read("statistics.csv")
        complete = text[: text.rfind("\n") + 1]
        return list(csv.DictReader(complete.splitlines(), delimiter=";"))

    def _read(self, name: str) -> str:
        file = self.folder / name
        return file.read_text(errors="replace") if file.exists() else ""


def _write_talker(folder: Path, scenario: str, sounds: Sequence[Sound]) -> Path:
    """Write the sounds as headerless PCMU, and the scenario in which each call plays its own."""
    lines = []
    for number, sound in enumerate(sounds, 1):
        (payload,) = ARRAY_CODECS["PCMU"].encode(None, sound.samples.reshape(1, -1))
        (folder / f"{number}.ulaw").write_bytes(payload)
        lines += [
            f'<nop test="else{number}" next="{number}"><action><test assign_to="else{number}" '
            f'variable="call" compare="not_equal" value="{number}"/></action></nop>',
            f'<nop><action><exec rtp_stream="{number}.ulaw,-1,0,PCMU/8000"/></action></nop>',
            f'<label id="{number}"/>',
        ]
    file = folder / "talker.xml"
    file.write_text(scenario.replace("<!-- sounds -->", "\n".join(lines)))
    return file


_ANSWERED = '<recv response="200" rtd="true" rrs="true"/>'
_NOTE_PORT = """<recv response="200" rtd="true" rrs="true"><action>
  <ereg regexp="m=audio ([0-9]+)" search_in="body" check_it="true" assign_to="line,port"/>
  <log message="[$port]"/>
</action></recv>
<Reference variables="line"/>"""


def _write_elsewhere(folder: Path, scenario: str, media_port: int) -> Path:
    """Write the scenario with its media at that port, and with a note of each port it is told."""
    file = folder / "elsewhere.xml"
    text = scenario.replace("[media_port]", str(media_port)).replace(_ANSWERED, _NOTE_PORT)
    file.write_text(text)
    return file


def _write_given(folder: Path, scenario: str) -> Path:
    """Write the scenario in which a file says who calls whom."""
    file = folder / "given.xml"
    text = scenario.replace("sip:5[call_number]@", "sip:[field0]@")
    file.write_text(text.replace("[service]", "[field1]"))
    return file


def _milliseconds(text: str) -> float:
    """Read SIPp's `HH:MM:SS:microseconds`, its `HH:MM:SS.ffffff`, or nothing."""
    parts = text.replace(".", ":").split(":")
    if len(parts) != 4 or not all(part.isdigit() for part in parts):
        return 0.0
    hours, minutes, seconds, micros = map(int, parts)
    return (hours * 3600 + minutes * 60 + seconds) * 1000 + micros / 1000


def write_users(file: Path, users: Iterable[tuple[str, str]]) -> Path:
    """Write SIPp's CSV of numbers and passwords, each used once in order; return its path."""
    lines = [
        f"{number};[authentication username={number} password={password}]"
        for number, password in users
    ]
    file.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
    return file


def write_callers(file: Path, callers: Iterable[tuple[str, str]]) -> Path:
    """Write SIPp's CSV of who calls whom, each used once in order; return its path."""
    lines = [f"{number};{called}" for number, called in callers]
    file.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
    return file

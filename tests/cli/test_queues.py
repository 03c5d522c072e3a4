"""`callpbx queues`: tables, JSON, what a supervisor does, and the picture on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios

import pytest

from pbx.api.views import LiveCall
from pbx.cli.queues import Picture
from pbx.cli.text import width
from pbx.config import Home
from pbx.errors import Refused
from tests.api.centre_double import CentreDouble, centre_of
from tests.api.office_double import OfficeDouble
from tests.cli.conftest import Command

SINCE = "2026-11-21T08:00:00.000Z"
CALLPBX = (sys.executable, "-c", "from pbx.cli import main; main()")


@pytest.fixture
def centre(live: OfficeDouble) -> CentreDouble:
    """Give a running call centre with two queues."""
    assert live.live is not None
    live.live.centre = double = centre_of("sales", "tech")
    return double


def test_queues_are_listed(centre: CentreDouble, command: Command) -> None:
    _, out, _ = command("queues")
    sales, tech = out.splitlines()[1:]
    assert sales.split() == ["sales", "1", "1:20", "1", "ringing", "72.0", "%", "41", "3", "–"]
    assert tech.split()[:2] == ["tech", "0"]
    _, out, _ = command("queues", "--json")
    assert [row["name"] for row in json.loads(out)] == ["sales", "tech"]


def test_a_terminal_shows_the_board_once(
    centre: CentreDouble, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = command("queues")[1].splitlines()
    assert lines[0].startswith("callpbx queues ")
    assert any(line.startswith("102 Anna") for line in lines)
    assert all(width(line) <= 80 for line in lines)


def test_a_queue_is_shown_with_callers_and_agents(centre: CentreDouble, command: Command) -> None:
    _, out, _ = command("queues", "show", "sales")
    assert "72.0 % (80 % in 20 s is the aim), SL(20 s)" in out
    caller, agent = (line.split() for line in out.splitlines() if "7f3a91c2aa" in line)
    assert caller == ["1", "7f3a91c2aa", "13800138000", "1:20", "5", "en", "3", "102"]
    assert agent[:4] == ["102", "Anna", "ringing", "0:05"]
    _, out, _ = command("queues", "show", "tech")
    assert "Nobody waits" in out


@pytest.mark.parametrize(
    ("words", "done", "sentence"),
    [
        (("close", "tech"), ("close", "tech", "socket"), "Queue tech is closed to new callers"),
        (("open", "tech"), ("open", "tech", "socket"), "Queue tech is open"),
        (
            ("raise", "13800138000"),
            ("raise", "sales", "7f3a91c2aa", "socket"),
            "Caller 13800138000 is the first in queue sales",
        ),
        (
            ("move", "7f3a91c2aa", "tech"),
            ("move", "sales", "7f3a91c2aa", "tech", "socket"),
            "Caller 13800138000 waits in queue tech, no longer in sales",
        ),
    ],
)
def test_a_supervisor_does_something(
    centre: CentreDouble, command: Command, words: list[str], done: tuple[str], sentence: str
) -> None:
    status, out, _ = command("queues", *words)
    assert status == 0
    assert out.startswith(sentence)
    assert centre.done == [done]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("close", "hr"), "there is no queue hr"),
        (("raise", "999"), "nobody waits under 999"),
        (("move", "13800138000", "hr"), "there is no queue hr"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    centre: CentreDouble, command: Command, words: list[str], sentence: str
) -> None:
    assert command("queues", *words) == (1, "", f"{sentence}\n")


def test_a_picture_is_no_json(centre: CentreDouble, command: Command) -> None:
    status, _, err = command("queues", "--watch", "--json")
    assert status == 2
    assert "take one of them" in err


class Terminal:
    """`callpbx queues --watch` on a terminal of 80 by 24."""

    def __init__(self, home: Home, **environment: str) -> None:
        try:
            self.ours, theirs = pty.openpty()
        except OSError as error:
            pytest.skip(f"no terminal can be had here: {error}")
        self.resize(80, 24)
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        words = [*CALLPBX, "--home", str(home.path), "queues", "--watch"]
        self.program = subprocess.Popen(
            words,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", **environment},
        )
        self.seen = ""

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, text: str) -> str:
        """Return what is printed up to this text, from where the last call ended."""
        while text not in self.seen:
            ready, _, _ = select.select([self.ours], [], [], 20)
            assert ready, f"{text!r} does not come after {self.seen!r}"
            self.seen += os.read(self.ours, 65536).decode()
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def close(self) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.mark.parametrize("way", ["q", "Ctrl-C", "SIGTERM"])
def test_the_picture_leaves_the_terminal_as_it_was(
    centre: CentreDouble, home: Home, way: str
) -> None:
    terminal = Terminal(home)
    try:
        assert terminal.until("\x1b[?1049h").startswith("\x1b[?1049h")
        first = terminal.until("call 7f3a91c2")
        assert "\x1b[33m72.0 % < 80/20" in first
        centre.staff = []
        terminal.until("No agent is logged in")
        if way == "SIGTERM":
            terminal.program.send_signal(signal.SIGTERM)
        else:
            os.write(terminal.ours, b"q" if way == "q" else b"\x03")
            if way == "Ctrl-C":  # the terminal is nobody's controlling one here
                terminal.program.send_signal(signal.SIGINT)
        terminal.until("\x1b[?25h\x1b[?1049l")
        expected = {"q": 0, "Ctrl-C": 130, "SIGTERM": 143}[way]
        assert terminal.program.wait(20) == expected
        assert termios.tcgetattr(terminal.theirs) == terminal.before
    finally:
        terminal.close()


def test_no_color_is_honoured_and_a_smaller_window_too(centre: CentreDouble, home: Home) -> None:
    terminal = Terminal(home, NO_COLOR="1")
    try:
        assert "\x1b[33m" not in terminal.until("call 7f3a91c2")
        terminal.resize(40, 6)
        terminal.program.send_signal(signal.SIGWINCH)
        terminal.until("lines more than")
        os.write(terminal.ours, b"q")
        assert terminal.program.wait(20) == 0
    finally:
        terminal.close()


def test_into_a_pipe_there_is_a_line_for_each_change(centre: CentreDouble, home: Home) -> None:
    words = [*CALLPBX, "--home", str(home.path), "queues", "--watch"]
    environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as program:
        assert program.stdout is not None
        assert "sales: 1 waiting, longest 1:20, ringing 1, level 72.0 %" in (
            program.stdout.readline()
        )
        assert "tech: 0 waiting" in program.stdout.readline()
        centre.shown = centre_of("tech").shown
        assert "tech: 1 waiting" in program.stdout.readline()
        program.terminate()


def test_calls_say_in_which_queue_they_wait_or_who_has_them(
    live: OfficeDouble, command: Command
) -> None:
    assert live.live is not None
    live.live.up = [
        LiveCall(id=call, from_="1", to="400", state=state, since=SINCE, queue="sales", agent=agent)
        for call, state, agent in (("c1", "routing", None), ("c2", "talking", "102"))
    ]
    _, out, _ = command("calls")
    assert "waits in sales" in out.splitlines()[1]
    assert "talking, 102" in out.splitlines()[2]


def test_a_picture_that_is_not_current_says_so_within_its_line() -> None:
    def away() -> dict[str, object]:
        raise Refused("the connection to callpbx broke")

    picture = Picture({"queues": []})
    ((text, style),) = picture.remark(away, 80)[0]
    assert text == "NOT CURRENT for about 1 second: the connection to callpbx broke"
    assert style == "alarm"
    ((text, _),) = picture.remark(away, 30)[0]
    assert text == "NOT CURRENT for about 2 secon…"
    assert picture.board == {"queues": []}
    assert picture.remark(lambda: {"queues": ["new"]}, 80) == []
    assert picture.board == {"queues": ["new"]}

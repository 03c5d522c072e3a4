"""A picture on a terminal that is drawn again and again in place.

It stands on the alternate screen, without cursor and echo, so that the terminal is as it was once
it is left: by q, Ctrl-C, or a signal. Colours are left out where NO_COLOR is set or the terminal is
dumb.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Final, NoReturn

from pbx.cli.board import Line, Style

ENTER: Final = "\x1b[?1049h\x1b[?25l"
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
TO_LINE_END: Final = "\x1b[K"
TO_SCREEN_END: Final = "\x1b[J"

COLOURS: Final[Mapping[Style, str]] = {
    "title": "1",
    "quiet": "2",
    "good": "32",
    "busy": "36",
    "care": "33",
    "alarm": "1;31",
}
"""Styles as SGR parameters (ECMA-48)."""

LEAVING: Final = (signal.SIGTERM, signal.SIGHUP)


def has_colours() -> bool:
    """Tell whether colours may be used: https://no-color.org, and no dumb terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(line: Line, *, colours: bool) -> str:
    """Return a line with the terminal's codes for its styles."""
    return "".join(
        f"\x1b[{COLOURS[style]}m{text}\x1b[0m" if colours and style and text.strip() else text
        for text, style in line
    )


def frame(lines: list[Line], *, colours: bool) -> str:
    """Return what draws a whole picture over the one before, without flicker."""
    text = f"{TO_LINE_END}\r\n".join(painted(line, colours=colours) for line in lines)
    return f"{HOME}{text}{TO_LINE_END}{TO_SCREEN_END}"


def show(draw: Callable[[int, int], list[Line]], *, every: float) -> None:
    """Draw `draw(columns, rows)` every so many seconds, and when the size changes; until q."""
    colours = has_colours()
    with _screen() as wait:
        while True:
            size = shutil.get_terminal_size()
            sys.stdout.write(frame(draw(size.columns, size.lines), colours=colours))
            sys.stdout.flush()
            if wait(every) == "q":
                return


@contextlib.contextmanager
def _screen() -> Iterator[Callable[[float], str]]:
    """Take the terminal; give what waits for a key or a change of size, and returns the key."""
    with contextlib.ExitStack() as stack:
        resized = stack.enter_context(_signals())
        keys = stack.enter_context(_keys())
        sys.stdout.write(ENTER)
        stack.callback(sys.stdout.flush)
        stack.callback(sys.stdout.write, LEAVE)

        def wait(seconds: float) -> str:
            ready, _, _ = select.select([resized.fileno(), *keys], [], [], seconds)
            if resized.fileno() in ready:
                resized.recv(1024)
            for fd in keys:
                if fd in ready:
                    return os.read(fd, 1).decode(errors="replace") or "q"
            return ""

        yield wait


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """Let a change of size wake `select`, and let signals that end a program leave in good order.

    Ctrl-Z is ignored: the screen of somebody else would be left in disorder.
    """
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    before = {each: signal.getsignal(each) for each in (signal.SIGWINCH, signal.SIGTSTP, *LEAVING)}
    waker = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    for each in LEAVING:
        signal.signal(each, _leave)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(waker)
        for each, previous in before.items():
            signal.signal(each, previous)
        ours.close()
        theirs.close()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _keys() -> Iterator[list[int]]:
    """Read single keys without echo, where stdin is a terminal; give its descriptor, or none."""
    if not sys.stdin.isatty():
        yield []
        return
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield [fd]
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)

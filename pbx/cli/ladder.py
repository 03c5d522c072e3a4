"""The ladder of a call as text: one column per phone, callpbx between the caller and the others.

    seconds      101                      callpbx                     102
                 udp 10.0.0.5:5060                                    udp 10.0.0.6:5060
      0.000      │── INVITE with SDP ───────▶│                          │
      0.004      │                           │── INVITE with SDP ──────▶│
      0.210      │◀───────── 180 Ringing ────│                          │

What the dialplan did stands right of callpbx, with the place in the file:

      1.180      │                           │ » menu main: welcome, key 1  dialplan.yaml:94

Pure: rows of the API's trace in, lines out. Every line is drawn cell by cell, because a CJK name
takes two cells for one character and arrows may cross the lines of other phones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pbx.cli.text import clip, pad, visible, width, wrap

Row = Mapping[str, Any]
"""One entry of the trace, as the API's JSON has it."""

TIME_CELLS = 11
MIN_LANE = 30  # cells between two lines: enough for "── INVITE with SDP ──▶"
MAX_LANE = 46
MAX_STORY_LANE = 60  # where the dialplan has something to tell
CALLPBX = "callpbx"


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters a picture is made of, one cell each."""

    line: str
    arrow: str
    cross: str
    right: str
    left: str
    media: str
    event: str
    step: str


LINES = Marks("│", "─", "┼", "▶", "◀", "~", "*", "»")
ASCII = Marks("|", "-", "+", ">", "<", "~", "*", ">")


@dataclass(frozen=True, slots=True)
class _Column:
    """A party: `leg` None is callpbx itself. `cell` is where its line stands."""

    leg: int | None
    title: str
    address: str
    cell: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """The columns, the cells between two of them, and the cells of a whole line.

    Where the dialplan has something to tell, there is room for it right of callpbx, even if nobody
    was rung.
    """

    columns: Sequence[_Column]
    lane: int
    total: int

    @property
    def ours(self) -> _Column:
        """Return the column of callpbx."""
        return self.of(None)

    def of(self, leg: int | None) -> _Column:
        """Return the column of a leg; that of callpbx for what belongs to none."""
        return next(column for column in self.columns if column.leg == leg)


def draw_ladder(
    rows: Sequence[Row], *, cells: int, marks: Marks = LINES, details: bool = False
) -> list[str]:
    """Return the picture of a call, at most about `cells` wide.

    Times are seconds since the first row. With `details`, each message's text follows its arrow.
    """
    if not rows:
        return []
    frame = _frame(rows, cells)
    lines = list(_header(frame))
    for row in rows:
        time = f"{row['at'] - rows[0]['at']:9.3f}"
        for picture in _pictures(row, frame, marks):
            lines.append(f"{time:{TIME_CELLS}}{picture}")
            time = ""
        if details and row.get("detail"):
            lines += [f"{'':{TIME_CELLS}}{visible(text)}" for text in row["detail"].splitlines()]
            lines.append("")
    return lines


def _frame(rows: Sequence[Row], cells: int) -> _Frame:
    """Give every leg a column, in the order of appearance: the first left, the others right."""
    titles: dict[int, str] = {}
    addresses: dict[int, str] = {}
    for row in rows:
        leg = row.get("leg")
        if leg is None:
            continue
        titles[leg] = titles.get(leg) or row.get("party") or ""
        if row["kind"] == "sip":
            remote = row["from"] if row["direction"] == "received" else row["to"]
            addresses.setdefault(leg, f"{row.get('transport') or ''} {remote}".strip())
    legs: list[int | None] = [*titles]
    legs.insert(1, None)
    steps = any(row["kind"] == "step" for row in rows)
    lanes = max(1, len(legs) - 1, legs.index(None) + steps)
    most = MAX_STORY_LANE if steps else MAX_LANE
    lane = max(MIN_LANE, min(most, (cells - TIME_CELLS - 1) // lanes))
    columns = [
        _Column(leg, *_labels(leg, titles, addresses), cell=index * lane)
        for index, leg in enumerate(legs)
    ]
    return _Frame(columns, lane, lanes * lane + 1)


def _labels(
    leg: int | None, titles: Mapping[int, str], addresses: Mapping[int, str]
) -> tuple[str, str]:
    if leg is None:
        return CALLPBX, ""
    return visible(titles[leg] or f"leg {leg}"), visible(addresses.get(leg, ""))


def _header(frame: _Frame) -> Iterator[str]:
    for texts in (
        [column.title for column in frame.columns],
        [column.address for column in frame.columns],
    ):
        line = _Canvas(frame.total + frame.lane, (), LINES)
        for column, text in zip(frame.columns, texts, strict=True):
            line.write(column.cell, clip(text, frame.lane - 1))
        yield (" " * TIME_CELLS + line.text()).rstrip()


def _pictures(row: Row, frame: _Frame, marks: Marks) -> Iterator[str]:
    """Yield the lines of one row: an arrow, or a sentence in as many lines as it needs."""
    ours, theirs = frame.ours, frame.of(row.get("leg"))
    if row["kind"] == "sip" and theirs is not ours:
        canvas = _Canvas(frame.total, frame.columns, marks)
        start, end = (theirs, ours) if row["direction"] == "received" else (ours, theirs)
        canvas.arrow(start.cell, end.cell, visible(row["summary"]))
        yield canvas.text()
        return
    for part, leftwards in _notes(row, frame, marks):
        canvas = _Canvas(frame.total, frame.columns, marks)
        canvas.note(theirs.cell, part, leftwards=leftwards)
        yield canvas.text()


def _notes(row: Row, frame: _Frame, marks: Marks) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a sentence, and whether each stands left of its party's line."""
    cell = frame.of(row.get("leg")).cell
    mark = {"media": marks.media, "step": marks.step}.get(row["kind"], marks.event)
    leftwards = 0 < cell == frame.total - 1
    room = cell - 3 if leftwards else frame.total - cell - 4
    parts = wrap(f"{mark} {visible(row['summary'])}", room)
    if row.get("line"):
        _add_place(parts, visible(f"{row['file']}:{row['line']}"), room)
    return ((part, leftwards) for part in parts)


def _add_place(parts: list[str], place: str, room: int) -> None:
    """Put the place in the file at the right edge, on a line of its own if it needs one."""
    if width(parts[-1]) + 2 + width(place) > room:
        parts.append("")
    parts[-1] = pad(parts[-1], room - width(place)) + clip(place, room)


class _Canvas:
    """One line of the picture. A character of two cells leaves the next cell empty."""

    def __init__(self, cells: int, columns: Sequence[_Column], marks: Marks) -> None:
        self._cells = [" "] * cells
        self._marks = marks
        for column in columns:
            self._cells[column.cell] = marks.line

    def text(self) -> str:
        """Return the line."""
        return "".join(self._cells).rstrip()

    def write(self, start: int, text: str) -> None:
        """Write `text` from cell `start`; what does not fit is left out."""
        at = start
        for character in text:
            size = width(character)
            if size == 0:
                self._cells[at - 1] += character
                continue
            if at + size > len(self._cells):
                return
            self._cells[at : at + size] = [character, *[""] * (size - 1)]
            at += size

    def arrow(self, start: int, end: int, label: str) -> None:
        """Draw an arrow between two lines, with its label nearer to where it comes from."""
        low, high = min(start, end), max(start, end)
        for at in range(low + 1, high):
            crossed = self._cells[at] == self._marks.line
            self._cells[at] = self._marks.cross if crossed else self._marks.arrow
        label = f" {clip(label, high - low - 8)} "
        if end > start:
            self._cells[high - 1] = self._marks.right
            self.write(low + 3, label)
        else:
            self._cells[low + 1] = self._marks.left
            self.write(high - 2 - width(label), label)

    def note(self, line: int, text: str, *, leftwards: bool) -> None:
        """Write a sentence beside a line: to its right, or ending left of it."""
        self.write(line - 2 - width(text) if leftwards else line + 1, f" {text} ")

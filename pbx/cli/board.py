"""Draws the board of queues and agents for a terminal.

    callpbx queues   08:00:02   3 callers waiting   3 of 4 agents logged in

    Queue          Waiting          Longest  Service level     Answered  Abandoned
    sales             3 ###            1:20  72.0 % < 80/20          41          3
      available 1  ringing 1  paused 1
      ALARM queue sales: somebody waits longer than 60 s

    Agent               State            For  Queue           What
    102 Anna            ringing         0:05  sales           call 7f3a91c2

Pure: the API's board in, lines of styled pieces out. What matters is a word as well as a colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pbx.cli.output import NOTHING, clock_length, local_time
from pbx.cli.text import clip, pad, pad_left, plural, visible, width

Row = Mapping[str, Any]
Style = Literal["", "title", "quiet", "good", "busy", "care", "alarm"]
Line = Sequence[tuple[str, Style]]
"""Pieces of text with their styles."""

BAR: Final = 10  # cells
NAME: Final = 14  # cells
AGENT: Final = 18  # cells
SHOWN_ID: Final = 8
"""Characters of a call's id that are shown; commands take as many."""

NO_AGENT: Final = "no agent has its skills"

STATE_STYLES: Final[Mapping[str, Style]] = {
    "available": "good",
    "reserved": "busy",
    "ringing": "busy",
    "talking": "busy",
    "hold": "busy",
    "wrap_up": "care",
    "paused": "care",
    "unreachable": "alarm",
    "logged_out": "quiet",
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters of the picture."""

    bar: str
    at_least: str
    more: str


BLOCKS: Final = Marks("█", "≥", "…")
ASCII: Final = Marks("#", ">=", "~")


def draw_board(board: Row, *, columns: int, rows: int, marks: Marks = BLOCKS) -> list[Line]:
    """Return the picture, at most `columns` cells wide and `rows` lines high.

    Agents that are logged out are counted, not listed; what does not fit is counted too.
    """
    queues = [line for row in board["queues"] for line in _queue(row, marks)]
    staff = [agent for agent in board["staff"] if agent["state"] != "logged_out"]
    lines: list[Line] = [_heading(board), (), _QUEUE_TITLES, *queues]
    if not board["queues"]:
        lines.append((("The dialplan in force has no queue", "quiet"),))
    formulas = dict.fromkeys(row["service_level_formula"] for row in board["queues"])
    lines += [((f"Service level: {visible(text)}", "quiet"),) for text in formulas if text]
    lines += [(), _AGENT_TITLES, *map(_agent, staff)]
    if not staff:
        lines.append((("No agent is logged in; callpbx agent login NUMBER", "quiet"),))
    if len(lines) > rows:
        hidden = len(lines) - rows + 1
        more = f"{marks.more} {plural(hidden, 'line')} more than this terminal has"
        lines = [*lines[: max(0, rows - 1)], ((more, "care"),)]
    return [_clipped(line, columns) for line in lines]


def _heading(board: Row) -> Line:
    waiting = sum(row["waiting"] for row in board["queues"])
    there = sum(agent["state"] != "logged_out" for agent in board["staff"])
    at = _clock(board)
    return (
        ("callpbx queues", "title"),
        (f"   {at}   {plural(waiting, 'caller')} waiting   ", ""),
        (f"{there} of {plural(len(board['staff']), 'agent')} logged in", ""),
    )


_QUEUE_TITLES: Final[Line] = (
    (f"{'Queue':{NAME}} {'Waiting':<{BAR + 5}}  Longest  ", "title"),
    ("Service level     Answered  Abandoned", "title"),
)


def _queue(row: Row, marks: Marks) -> Iterator[Line]:
    kinds = {alarm["kind"] for alarm in row["alarms"]}
    bar = marks.bar * min(row["waiting"], BAR)
    if row["waiting"] > BAR:
        bar = bar[:-1] + "+"
    yield (
        (pad(clip(visible(row["name"]), NAME), NAME) + " ", "title"),
        (f"{row['waiting']:>4} {bar:<{BAR}}  ", "alarm" if "waiting" in kinds else ""),
        (f"{clock_length(row['longest_wait_s']):>7}  ", "alarm" if "longest_wait" in kinds else ""),
        _level(row, marks),
        (f"{row['answered']:>8}  {row['abandoned']:>9}", ""),
    )
    yield (
        ("  ", ""),
        *((("CLOSED  ", "care"),) if not row["open"] else ()),
        *_states(row["agents"]),
    )
    for alarm in row["alarms"]:
        yield (("  ", ""), (f"ALARM {visible(alarm['sentence'])}", "alarm"))


def _level(row: Row, marks: Marks) -> tuple[str, Style]:
    level, (percent, seconds) = row["service_level"], row["target"]
    if level is None:
        return f"{NOTHING:<16}  ", "quiet"
    low = level < percent
    text = f"{level:.1f} % {'<' if low else marks.at_least} {percent}/{seconds:g}"
    return f"{text:<16}  ", "care" if low else "good"


def _states(agents: Mapping[str, int]) -> Iterator[tuple[str, Style]]:
    if not agents:
        yield NO_AGENT, "alarm"
    for state, count in agents.items():
        yield f"{state_word(state)} {count}  ", STATE_STYLES.get(state, "")


_AGENT_TITLES: Final[Line] = (
    (f"{'Agent':{AGENT}}  {'State':11}  {'For':>7}  {'Queue':{NAME}}  What", "title"),
)


def _agent(agent: Row) -> Line:
    who = f"{agent['number']} {visible(agent['name'] or '')}".rstrip()
    style = STATE_STYLES.get(agent["state"], "")
    return (
        (pad(clip(who, AGENT), AGENT) + "  ", ""),
        (f"{state_word(agent['state']):11}", style),
        (pad_left(clock_length(agent["seconds"]), 9) + "  ", ""),
        (pad(clip(visible(agent["queue"] or ""), NAME), NAME) + "  ", ""),
        (_what(agent), ""),
    )


def _what(agent: Row) -> str:
    call = f"call {agent['call'][:SHOWN_ID]}" if agent["call"] else ""
    return "  ".join(filter(None, (visible(agent["reason"]), call)))


def state_word(state: str) -> str:
    """Return a state as people read it."""
    return state.replace("_", " ")


def _clipped(line: Line, columns: int) -> Line:
    """Return what of a line fits into so many cells."""
    kept: list[tuple[str, Style]] = []
    room = columns
    for text, style in line:
        part = clip(text.rstrip(), room) if width(text) > room else text
        kept.append((part, style))
        room -= width(part)
        if part != text:
            break
    return kept


def changes(before: Row | None, board: Row) -> list[str]:
    """Return one line for each queue that looks otherwise than before, times aside."""
    known = {} if before is None else {row["name"]: _lasting(row) for row in before["queues"]}
    at = _clock(board)
    return [
        f"{at} {_sentence(row)}"
        for row in board["queues"]
        if known.get(row["name"]) != _lasting(row)
    ]


def _clock(board: Row) -> str:
    """Return the time of day at which a board was made."""
    return (local_time(board["at"]) or "").partition(" ")[2]


def _lasting(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "longest_wait_s"}


def _sentence(row: Row) -> str:
    level = row["service_level"]
    parts = [
        f"{row['waiting']} waiting",
        f"longest {clock_length(row['longest_wait_s'])}",
        *(f"{state_word(state)} {count}" for state, count in row["agents"].items()),
        f"level {NOTHING if level is None else f'{level:.1f} %'}",
        f"answered {row['answered']}",
        f"abandoned {row['abandoned']}",
        *(f"ALARM {alarm['sentence']}" for alarm in row["alarms"]),
    ]
    return f"{row['name']}{'' if row['open'] else ' (closed)'}: {visible(', '.join(parts))}"

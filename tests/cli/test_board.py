"""The picture of queues and agents: what stands in it at 80 columns, and what gives way."""

from __future__ import annotations

from typing import Any

from pbx.cli.board import ASCII, Row, changes, draw_board
from pbx.cli.screen import frame, painted
from pbx.cli.text import width


def queue(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "open": True,
        "waiting": 0,
        "longest_wait_s": 0.0,
        "agents": {},
        "service_level": None,
        "service_level_formula": "SL(20 s), answered in time",
        "target": [80, 20.0],
        "answered": 0,
        "abandoned": 0,
        "alarms": [],
        **fields,
    }


def agent(number: str, state: str, seconds: float = 5.0, **fields: Any) -> dict[str, Any]:
    nothing = {"name": None, "reason": "", "call": None, "queue": None}
    return {"number": number, "state": state, "seconds": seconds, **nothing, **fields}


def board(*queues: Row, staff: tuple[Row, ...] = ()) -> Row:
    return {"at": "2026-11-21T08:00:02.000Z", "queues": queues, "staff": staff}


BUSY = board(
    queue(
        "sales",
        waiting=3,
        longest_wait_s=80.0,
        agents={"available": 1, "ringing": 1, "paused": 1},
        service_level=72.0,
        answered=41,
        abandoned=3,
        alarms=[{"kind": "longest_wait", "sentence": "queue sales: somebody waits too long"}],
    ),
    queue(
        "技术支持",
        open=False,
        waiting=14,
        agents={"talking": 4},
        service_level=91.2,
        answered=1041,
        abandoned=13,
    ),
    staff=(
        agent("102", "ringing", name="Anna Müller-Lüdenscheidt", call="7f3a91c2aa", queue="sales"),
        agent("103", "paused", 705.0, name="李雷", reason="lunch"),
        agent("104", "unreachable", 7050.0, reason="its phone is not registered any more"),
        agent("105", "logged_out"),
    ),
)

PICTURE = """\
Queue          Waiting          Longest  Service level     Answered  Abandoned
sales             3 ###            1:20  72.0 % < 80/20          41          3
  available 1  ringing 1  paused 1
  ALARM queue sales: somebody waits too long
技术支持         14 #########+     0:00  91.2 % >= 80/20       1041         13
  CLOSED  talking 4
Service level: SL(20 s), answered in time

Agent               State            For  Queue           What
102 Anna Müller-L…  ringing         0:05  sales           call 7f3a91c2
103 李雷            paused         11:45                  lunch
104                 unreachable  1:57:30                  its phone is not regi…
"""


def plain(lines: list[Any]) -> list[str]:
    return [painted(line, colours=False).rstrip() for line in lines]


def test_the_picture_at_eighty_columns() -> None:
    lines = plain(draw_board(BUSY, columns=80, rows=24, marks=ASCII))
    assert lines[0].startswith("callpbx queues   ")
    assert lines[0].endswith(":00:02   17 callers waiting   3 of 4 agents logged in")
    assert lines[2:] == PICTURE.splitlines()
    assert max(map(width, lines)) <= 80


def test_what_does_not_fit_is_counted() -> None:
    lines = plain(draw_board(BUSY, columns=50, rows=5, marks=ASCII))
    assert len(lines) == 5
    assert lines[-1] == "~ 10 lines more than this terminal has"
    assert max(map(width, lines)) <= 50


def test_an_office_without_queues_or_agents_says_what_to_do() -> None:
    lines = plain(draw_board(board(), columns=80, rows=24))
    assert "The dialplan in force has no queue" in lines
    assert "No agent is logged in; callpbx agent login NUMBER" in lines
    lines = plain(draw_board(board(queue("hr")), columns=80, rows=24))
    assert "  no agent has its skills" in lines


def test_what_needs_attention_has_a_colour_and_a_word() -> None:
    text = frame(draw_board(BUSY, columns=80, rows=24), colours=True)
    assert "\x1b[1;31m   1:20  \x1b[0m" in text
    assert "\x1b[1;31mALARM queue sales" in text
    assert "\x1b[33m72.0 % < 80/20" in text
    assert "\x1b[31m" not in frame(draw_board(BUSY, columns=80, rows=24), colours=False)


def test_control_characters_of_a_name_stay_out_of_the_terminal() -> None:
    nasty = board(staff=(agent("102", "paused", name="\x1b[2J", reason="\x07"),))
    assert "\x1b[2J" not in frame(draw_board(nasty, columns=80, rows=24), colours=False)


def test_a_line_is_printed_for_what_changed_and_not_for_time_alone() -> None:
    assert len(changes(None, BUSY)) == 2
    later = board(*({**row, "longest_wait_s": 99.0} for row in BUSY["queues"]))
    assert changes(BUSY, later) == []
    fuller = board(queue("sales", waiting=4), BUSY["queues"][1])
    (line,) = changes(BUSY, fuller)
    assert "sales: 4 waiting, longest 0:00, level –, answered 0, abandoned 0" in line

"""The ladder: arrows between the right lines, in any width, with any names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.cli.ladder import ASCII, MIN_LANE, TIME_CELLS, draw_ladder
from pbx.cli.text import width

A, B, C, US = "10.0.0.5:5060", "10.0.0.6:5060", "10.0.0.7:5070", "10.0.0.1:5060"


def sip(at: float, leg: int, party: str, way: str, summary: str, remote: str) -> dict[str, Any]:
    received = way == "received"
    return {
        "at": 1000.0 + at,
        "kind": "sip",
        "leg": leg,
        "party": party,
        "direction": way,
        "summary": summary,
        "transport": "udp",
        "from": remote if received else US,
        "to": US if received else remote,
        "detail": f"{summary}\r\nVia: SIP/2.0/UDP x\r\n\r\n",
    }


def note(at: float, kind: str, leg: int | None, summary: str) -> dict[str, Any]:
    return {"at": 1000.0 + at, "kind": kind, "leg": leg, "summary": summary}


def step(at: float, summary: str, line: int | None) -> dict[str, Any]:
    file = None if line is None else "dialplan.yaml"
    return {**note(at, "step", None, summary), "file": file, "line": line}


CALL = [
    sip(0.0, 1, "101", "received", "INVITE with SDP", A),
    sip(0.0004, 1, "101", "sent", "100 Trying INVITE", A),
    note(0.001, "event", None, "goes to ext:102"),
    sip(0.003, 2, "102", "sent", "INVITE with SDP", B),
    sip(0.1, 2, "102", "received", "180 Ringing INVITE", B),
    note(0.1, "event", 2, "rings"),
    sip(2.1, 2, "102", "received", "200 OK INVITE with SDP", B),
    note(12.0, "media", 2, "received 500 packets PCMA; sent 500 packets PCMA"),
    sip(12.5, 1, "101", "received", "BYE", A),
]

PICTURE = """\
           101                           callpbx                       102
           udp 10.0.0.5:5060                                           udp 10.0.0.6:5060
    0.000  │── INVITE with SDP ─────────▶│                             │
    0.000  │◀─────── 100 Trying INVITE ──│                             │
    0.001  │                             │ * goes to ext:102           │
    0.003  │                             │── INVITE with SDP ─────────▶│
    0.100  │                             │◀────── 180 Ringing INVITE ──│
    0.100  │                             │                     * rings │
    2.100  │                             │◀── 200 OK INVITE with SDP ──│
   12.000  │        ~ received 500 packets PCMA; sent 500 packets PCMA │
   12.500  │── BYE ─────────────────────▶│                             │
"""


def test_a_call_reads_like_a_picture() -> None:
    assert "\n".join(draw_ladder(CALL, cells=72)) == PICTURE.rstrip("\n")


MENU = [
    CALL[0],
    step(0.002, "numbers 8000 → flow:front_door", 14),
    step(0.8, "hours office → open (mon-fri 09:00-12:00)", 19),
    step(1.8, "menu main: choices, key 1", 24),
    step(1.9, "operator → ext:102", None),
]

STORY = """\
           101                                         callpbx
           udp 10.0.0.5:5060
    0.000  │── INVITE with SDP ───────────────────────▶│
    0.002  │                                           │ » numbers 8000 → flow:front_door
           │                                           │                          dialplan.yaml:14
    0.800  │                                           │ » hours office → open (mon-fri
           │                                           │ 09:00-12:00)             dialplan.yaml:19
    1.800  │                                           │ » menu main: choices, key 1
           │                                           │                          dialplan.yaml:24
    1.900  │                                           │ » operator → ext:102
"""

RUNG = """\
           101                               callpbx                           102
           udp 10.0.0.5:5060                                                   udp 10.0.0.6:5060
    0.000  │── INVITE with SDP ─────────────▶│                                 │
    0.002  │                                 │ » numbers 8000 →                │
           │                                 │ flow:front_door                 │
           │                                 │                dialplan.yaml:14 │
    0.800  │                                 │ » hours office → open (mon-fri  │
           │                                 │ 09:00-12:00)   dialplan.yaml:19 │
    1.800  │                                 │ » menu main: choices, key 1     │
           │                                 │                dialplan.yaml:24 │
    1.900  │                                 │ » operator → ext:102            │
    0.003  │                                 │── INVITE with SDP ─────────────▶│
    0.100  │                                 │◀────────── 180 Ringing INVITE ──│
    0.100  │                                 │                         * rings │
    2.100  │                                 │◀────── 200 OK INVITE with SDP ──│
   12.000  │                ~ received 500 packets PCMA; sent 500 packets PCMA │
   12.500  │── BYE ─────────────────────────▶│                                 │
"""


def test_the_story_of_a_menu_stands_beside_callpbx_with_its_lines() -> None:
    assert "\n".join(draw_ladder(MENU, cells=100)) == STORY.rstrip("\n")


def test_a_story_leaves_the_lines_of_phones_in_place() -> None:
    assert "\n".join(draw_ladder([*MENU, *CALL[3:]], cells=80)) == RUNG.rstrip("\n")


def test_a_story_in_chinese_keeps_its_places_in_line() -> None:
    rows = [CALL[0], step(0.1, "say closed: zh: 现在是下班时间。", 7), step(0.2, "tag: 广告", 8)]
    first, second = draw_ladder(rows, cells=120)[-2:]
    assert width(first) == width(second)
    assert first.endswith("dialplan.yaml:7")


def test_messages_of_a_fork_cross_the_lines_between() -> None:
    rows = [*CALL[:4], sip(0.004, 3, "102", "sent", "INVITE with SDP", C)]
    line = draw_ladder(rows, cells=80)[-1]
    assert line.endswith("│── INVITE with SDP ──────────┼────────────────────────────▶│")
    assert line.count("┼") == 1


def test_plain_marks_are_ascii() -> None:
    assert all(line.isascii() for line in draw_ladder(CALL, cells=80, marks=ASCII))


def test_details_follow_their_arrow() -> None:
    lines = draw_ladder(CALL[:1], cells=80, details=True)
    assert lines[3:] == [
        " " * TIME_CELLS + "INVITE with SDP",
        " " * TIME_CELLS + "Via: SIP/2.0/UDP x",
        " " * TIME_CELLS,
        "",
    ]


def test_a_name_in_chinese_keeps_the_lines_in_place() -> None:
    rows = [{**CALL[0], "party": "王小明", "summary": "INVITE 王小明"}, *CALL[3:]]
    header, _, first, second, *_ = draw_ladder(rows, cells=80)
    callpbx = width(header[: header.index("callpbx")])
    assert width(first[: first.index("▶") + 1]) == callpbx
    assert width(second[: second.index("│──")]) == callpbx


def test_control_characters_cannot_move_the_cursor() -> None:
    rows = [{**CALL[0], "party": "a\x1b[2J", "summary": "INVITE\r\n"}]
    assert all(line.isprintable() for line in draw_ladder(rows, cells=80))


def test_a_call_whose_messages_are_forgotten_still_has_its_columns() -> None:
    rows = [note(0.0, "event", 1, "answered"), note(0.1, "media", 2, "codec is now PCMA")]
    lines = draw_ladder(rows, cells=80)
    assert lines[0].split() == ["leg", "1", "callpbx", "leg", "2"]


def test_a_call_without_legs_is_one_column() -> None:
    lines = draw_ladder([note(0.0, "event", None, "call ended: rejected")], cells=80)
    assert lines[0].strip() == "callpbx"
    assert "call ended" in lines[-1]


def test_nothing_gives_nothing() -> None:
    assert draw_ladder([], cells=80) == []


ROWS = st.lists(
    st.builds(
        lambda leg, way, kind, text: {**sip(0.0, leg, "101", way, text, A), "kind": kind},
        st.integers(1, 4),
        st.sampled_from(["received", "sent"]),
        st.sampled_from(["sip", "media", "event"]),
        st.text(alphabet="ab 王\n", max_size=90),
    ),
    min_size=1,
    max_size=8,
)


@given(ROWS, st.integers(10, 200))
def test_every_line_fits_its_picture(rows: list[dict[str, Any]], cells: int) -> None:
    legs = len({row["leg"] for row in rows})
    lines = draw_ladder(rows, cells=cells)
    room = max(cells, TIME_CELLS + 1 + MIN_LANE * max(1, legs))
    assert all(width(line) <= room for line in lines[2:])


@pytest.mark.parametrize("cells", [40, 80, 200])
def test_the_lines_are_straight(cells: int) -> None:
    lines = draw_ladder(CALL, cells=cells)[2:]
    places = {width(line[: line.rindex("│")]) for line in lines}
    assert len(places) == 1

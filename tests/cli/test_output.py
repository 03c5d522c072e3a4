"""How values look in tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
from click import unstyle

from pbx.cli import output
from pbx.cli.output import (
    byte_size,
    cell,
    clock_length,
    list_time,
    local_time,
    print_table,
    short_id,
    span,
)
from pbx.cli.text import width


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine stand in Shanghai."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (True, "yes"),
        (False, "no"),
        (1.25, "1.2"),
        (7, "7"),
        ("a\x1b", "a·"),
    ],
)
def test_cells(value: object, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(12.4, "12s"), (200, "3m 20s"), (7500, "2h 5m"), (273_600, "3d 4h")],
)
def test_spans(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_call_lengths_look_like_a_phones() -> None:
    assert [clock_length(seconds) for seconds in (7, 750, 3723)] == ["0:07", "12:30", "1:02:03"]


def test_byte_sizes() -> None:
    sizes = [byte_size(count) for count in (812, 12_300_000, 3 * 10**15)]
    assert sizes == ["812 B", "12.3 MB", "3000.0 TB"]


@pytest.mark.usefixtures("shanghai")
def test_times_are_those_of_the_clock_on_the_wall() -> None:
    assert local_time("2026-11-21T23:00:00.123Z") == "2026-11-22 07:00:00"
    assert local_time(None) is None


def test_a_pipe_gets_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["Name", output.figures("N")], [("王小明", 7)], empty="nobody")
    print_table(["Name"], [], empty="nobody")
    assert capsys.readouterr().out == "Name    N\n王小明  7\nnobody\n"


def test_a_terminal_gets_a_drawn_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(["Name", output.figures("N")], [("[red]王", 7)], empty="nobody")
    printed = capsys.readouterr().out
    assert "─" in printed
    assert "[red]王" in printed  # text, not markup


def test_a_narrow_terminal_breaks_no_word_and_no_figure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    rows = [("会议 with the boss about last week", "1m 20s", "unreachable")]
    print_table(["Reason", output.figures("For"), "State"], rows, empty="")
    lines = unstyle(capsys.readouterr().out).splitlines()
    assert all(width(line) <= 40 for line in lines)
    assert any("1m 20s  unreachable" in line for line in lines)


def test_a_terminal_shows_as_much_of_an_id_and_a_time_as_people_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = "2026-11-21T23:00:00Z"
    whole = local_time(at)
    assert whole is not None
    assert (short_id("7f3a91c2aa0055ee"), list_time(at)) == ("7f3a91c2aa0055ee", whole)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert (short_id("7f3a91c2aa0055ee"), list_time(at)) == ("7f3a91c2", whole[5:])
    assert (short_id(None), list_time(None)) == (None, None)

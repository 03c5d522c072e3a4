"""Text in cells: CJK takes two, nothing moves the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.cli.text import clip, columns, fitted, pad, pad_left, plural, visible, width, wrap


@pytest.mark.parametrize(
    ("text", "cells"), [("", 0), ("abc", 3), ("王小明", 6), ("e\u0301", 1), ("ｶ", 1), ("Ａ", 2)]
)
def test_width_counts_cells(text: str, cells: int) -> None:
    assert width(text) == cells


def test_clipping_marks_what_is_gone() -> None:
    assert clip("王小明", 6) == "王小明"
    assert clip("王小明", 5) == "王小…"
    assert clip("王小明", 4) == "王…"
    assert clip("abc", 0) == ""


@given(st.text(max_size=20), st.integers(min_value=1, max_value=20))
def test_clipped_text_fits(text: str, cells: int) -> None:
    assert width(clip(text, cells)) <= cells


@given(st.text(alphabet="ab 王", max_size=60), st.integers(min_value=4, max_value=20))
def test_wrapped_lines_fit(text: str, cells: int) -> None:
    assert all(width(line) <= cells for line in wrap(text, cells))


def test_wrapping_keeps_all_words() -> None:
    text = "received 500 packets PCMA, 0.0 % lost"
    assert " ".join(wrap(text, 12)) == text


def test_control_characters_are_shown_not_sent() -> None:
    assert visible("a\x1b[2Jb\nc\u202ed") == "a·[2Jb·c·d"


def test_columns_line_up_by_cells() -> None:
    table = columns(["Name", "N"], [["王小明", "7"], ["Bob", "12"]], frozenset({1}))
    assert table == "Name     N\n王小明   7\nBob     12"
    assert pad("王", 3) == "王 "
    assert pad_left("王", 3) == " 王"


@pytest.mark.parametrize(
    ("room", "widths"),
    [
        (40, [8, 20, 10]),
        (30, [8, 12, 10]),  # the widest gives first
        (22, [8, 7, 7]),
        (19, [8, 5, 6]),  # words stay whole
        (10, [3, 3, 4]),  # unless there is no room at all
    ],
)
def test_columns_give_way_where_they_can(room: int, widths: list[int]) -> None:
    assert fitted([8, 20, 10], [8, 5, 6], room) == widths


def test_plurals() -> None:
    assert (plural(1, "call"), plural(0, "call"), plural(2, "call")) == (
        "1 call",
        "0 calls",
        "2 calls",
    )

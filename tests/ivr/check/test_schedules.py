"""Schedules that never open, and holidays that are over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.ivr.check.told import DOOR, FACTS, told

TEXT = f"""{DOOR}flows:
  door: [{{hours: office, open: ext:101, closed: hangup}}]
hours:
  office: %s
"""


def test_a_make_up_day_to_come_is_an_opening_and_one_gone_is_none() -> None:
    text = TEXT % "{also_open: {2026-09-20: 09:00-18:00}}"
    assert told(text) == []
    assert told(text, replace(FACTS, today=date(2026, 9, 21))) == ["W023:5"]


def test_a_holiday_is_over_the_day_after_its_last() -> None:
    text = TEXT % "{weekly: {mon: 09:00-18:00}, holidays: [2026-08-20..2026-09-01, 01-01]}"
    assert told(text) == []
    assert told(text, replace(FACTS, today=date(2026, 9, 2))) == ["W023:5"]

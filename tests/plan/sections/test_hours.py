"""Section `hours`: weeks, holidays and make-up days, and what people get wrong about them."""

from __future__ import annotations

from datetime import date

import pytest

from pbx.plan.hours import Holiday, Span
from tests.kit.broken import loaded, mistake

MORNING, AFTERNOON = Span(540, 720), Span(810, 1080)


def test_a_schedule_is_read_whole() -> None:
    schedule = loaded("""\
defaults: {timezone: Asia/Hong_Kong}
hours:
  office:
    weekly:
      mon-wed: 09:00-12:00, 13:30-18:00
      thu,fri: [09:00-12:00, 13:30-18:00]
      sat: 22:00-02:00
      sun: closed
    holidays: [2026-10-01..2026-10-07, 01-01, 12-24..01-02, 02-29]
    also_open: {2026-09-20: 00:00-24:00}
    override_key: "*28"
""").hours["office"]
    week = dict.fromkeys(range(5), (MORNING, AFTERNOON))
    assert schedule.timezone == "Asia/Hong_Kong"
    assert schedule.weekly == {**week, 5: (Span(1320, 120),), 6: ()}
    assert [(holiday.first, holiday.last, holiday.yearly) for holiday in schedule.holidays] == [
        (date(2026, 10, 1), date(2026, 10, 7), False),
        (date(2000, 1, 1), date(2000, 1, 1), True),
        (date(2000, 12, 24), date(2000, 1, 2), True),
        (date(2000, 2, 29), date(2000, 2, 29), True),
    ]
    assert schedule.also_open == {date(2026, 9, 20): (Span(0, 1440),)}
    assert schedule.override_key == "*28"
    assert (schedule.mark.line, schedule.mark.column) == (4, 3)


def test_one_holiday_needs_no_list_and_knows_its_place() -> None:
    (holiday,) = loaded("hours:\n  o: {holidays: 05-01}\n").hours["o"].holidays
    assert isinstance(holiday, Holiday)
    assert (holiday.mark.line, holiday.mark.column) == (3, 17)


def test_days_run_over_the_weekend() -> None:
    assert sorted(loaded("hours: {o: {weekly: {fri-mon: 09:00-12:00}}}").hours["o"].weekly) == [
        *(0, 4, 5, 6)
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("timezone: ▸Asia/Shangai", 'E005 hours.o timezone: "Asia/Shangai" is no time zone'),
        ("timezone: ▸shanghai", 'did you mean "Asia/Shanghai"?'),
        ("timezone: ▸../../etc/passwd", "is no time zone"),
        ("weekly: {mon: ▸25:00-26:00}", "has 25:00, which no clock shows — write 00:00 to 24:00"),
        ("weekly: {mon: ▸09:00-12:60}", "has 12:60, which no clock shows"),
        ("weekly: {mon: ▸24:00-12:00}", 'begins at 24:00 — write "00:00" of the next day'),
        ("weekly: {mon: ▸00:00-00:00}", 'write "00:00-24:00" for the whole day'),
        ("weekly: {mon: ▸9-18}", 'is no time of opening — write "09:00-12:00, 13:30-18:00"'),
        ("weekly: {mon: ▸09:00–12:00}", 'or dashes that are none — write "09:00-12:00"'),
        ("weekly: {mon: ▸09:00-12:00，13:00-14:00}", 'write "09:00-12:00, 13:00-14:00"'),
        ("weekly: {mon: ▸０９：００-12:00}", 'write "09:00-12:00"'),
        ("weekly: {mon: 09:00-12:00, ▸13:30-18:00}", "quote the times"),
        ("weekly: {▸mo: closed}", 'is no day of the week — did you mean "mon"?'),
        ("weekly: {▸周一: closed}", "is no day of the week — write mon, mon-fri or mon, wed"),
        ("weekly: {mon-fri: closed, ▸wed: 09:00-12:00}", "E003 hours.o weekly: wed stands twice"),
        (
            "holidays: [▸2026-02-31]",
            'E005 hours.o holidays: "2026-02-31" is no day of the calendar',
        ),
        ("holidays: [▸10-1.5]", "is no date — write 2026-10-01, or 10-01 for every year"),
        ("holidays: [▸2026-10-07..2026-10-01]", "ends before it begins"),
        ("holidays: [▸10-01..2026-10-07]", "has a year at one end only"),
        ("holidays: ▸[]", "hours.o holidays is empty"),
        ("also_open: {▸09-20: 09:00-18:00}", "has no year — write 2026-09-20"),
        ("also_open: {2026-09-20: ▸x}", "is no time of opening"),
        ("override_key: ▸28", 'is no code; write * and digits: "*28"'),
        ("▸weakly: {}", 'E002 unknown key "weakly" in hours.o — did you mean "weekly"?'),
    ],
)
def test_a_mistake_is_told_where_it_stands(keys: str, words: str) -> None:
    assert words in mistake(f"hours:\n  o: {{{keys}}}\n")

"""W023: opening hours that never open, and holidays that are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pbx.ivr.check.subject import Subject, problem
from pbx.marks.problem import HOURS_HABITS, Problem
from pbx.plan.hours import Schedule
from pbx.plan.opening import holiday_text


def check_schedules(subject: Subject) -> Iterator[Problem]:
    """Yield a warning for each schedule that never opens, and for each holiday of the past."""
    for schedule in subject.plan.hours.values():
        if subject.whole and not _opens(schedule, subject.facts.today):
            sentence = f"hours.{schedule.name} never opens"
            advice = 'write weekly: {mon-fri: "09:00-18:00"}'
            yield problem(schedule.mark, HOURS_HABITS, sentence, advice)
        for holiday in schedule.holidays:
            if not holiday.yearly and holiday.last < subject.facts.today:
                sentence = f"hours.{schedule.name}: holiday {holiday_text(holiday)} is over"
                advice = "write this year's, or month and day alone for every year"
                yield problem(holiday.mark, HOURS_HABITS, sentence, advice)


def _opens(schedule: Schedule, today: date) -> bool:
    days = (spans for day, spans in schedule.also_open.items() if day >= today)
    return any(schedule.weekly.values()) or any(days)

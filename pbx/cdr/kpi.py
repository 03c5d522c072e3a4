"""The figures of a call centre, one row each: id, names, formula in words, version, function.

A figure is a function of plain counts (counts.py) and of nothing else, so whoever sees one can
compute it again. Division by zero is no figure: the value is None, and `reason` says what is
missing. There are four formulas by the name of service level; each says which it is, and the first
is the one that is meant where nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pbx.cdr.counts import Counts

FCR_DAYS = 7
"""Days within which another call of the same customer says that the first one solved nothing."""

HOUR = 3_600_000  # milliseconds

Unit = Literal["calls", "percent", "seconds", "erlangs"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's value in its unit; None with the `reason` why there is none."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure: `id` for programs, `zh` and `en` for people, the `formula` that they can check.

    `version` goes up when the formula changes.
    """

    id: str
    zh: str
    en: str
    unit: Unit
    formula: str
    compute: Callable[[Counts], Figure]
    version: int = 1

    def of(self, counts: Counts) -> Figure:
        """Return the figure of what was counted, rounded to three decimals."""
        figure = self.compute(counts)
        return figure if figure.value is None else Figure(round(figure.value, 3), figure.reason)


def _count(name: str) -> Callable[[Counts], Figure]:
    return lambda counts: Figure(getattr(counts, name))


def _seconds(name: str) -> Callable[[Counts], Figure]:
    return lambda counts: Figure(getattr(counts, name) / 1000)


def _ratio(part: float, whole: float, nothing: str) -> Figure:
    return Figure(part / whole) if whole else Figure(None, nothing)


def _percent(part: float, whole: float, nothing: str) -> Figure:
    return Figure(100.0 * part / whole) if whole else Figure(None, nothing)


NOBODY_CALLED: Final = "nobody called"
NOBODY_ANSWERED: Final = "nothing was answered"


def actual_abandons(counts: Counts) -> int:
    """Return the callers who were lost after a fair chance."""
    elsewhere = counts.overflowed + counts.callbacks
    return counts.offered - (counts.answered + counts.short_abandons) - elsewhere


def _busy(counts: Counts) -> int:
    return counts.talk + counts.hold + counts.wrap_up


def _utilisation(counts: Counts) -> Figure:
    if counts.paid is None:
        return Figure(None, "the paid time is not known")
    if counts.available is None:
        return Figure(None, "the time that agents were available is not known")
    if _busy(counts) + counts.available > counts.paid:
        return Figure(None, "more work than paid time: the paid time is wrong")
    return _percent(_busy(counts) + counts.available, counts.paid, "nothing is paid")


def _occupancy(counts: Counts) -> Figure:
    if counts.available is None:
        return Figure(None, "the time that agents were available is not known")
    there = _busy(counts) + counts.available
    return _percent(_busy(counts), there, "nobody was there")


def _first_contact(counts: Counts) -> Figure:
    if counts.repeated is None:
        return Figure(None, f"not known before {FCR_DAYS} days are over")
    solved = counts.contacts - counts.repeated
    return _percent(solved, counts.contacts, "nobody with a number was answered")


def _erlangs(spent: Callable[[Counts], int]) -> Callable[[Counts], Figure]:
    return lambda counts: _ratio(spent(counts), counts.period, "the period is empty")


_SL: Final = "answered within the service level's time"

SERVICE_LEVELS: Final = (
    Kpi(
        *("sl_of_offered", "服务水平", "of offered", "percent"),
        f"{_SL} / offered",
        lambda counts: _percent(counts.answered_in_sl, counts.offered, NOBODY_CALLED),
    ),
    Kpi(
        *("sl_of_answered", "服务水平", "of answered", "percent"),
        f"{_SL} / answered",
        lambda counts: _percent(counts.answered_in_sl, counts.answered, NOBODY_ANSWERED),
    ),
    Kpi(
        *("sl_short_removed", "服务水平", "short abandons removed", "percent"),
        f"{_SL} / (offered - short abandons)",
        lambda counts: _percent(
            counts.answered_in_sl, counts.offered - counts.short_abandons, NOBODY_CALLED
        ),
    ),
    Kpi(
        *("sl_positive", "服务水平", "positive", "percent"),
        f"({_SL} + abandoned within it) / offered",
        lambda counts: _percent(
            counts.answered_in_sl + counts.abandoned_in_sl, counts.offered, NOBODY_CALLED
        ),
    ),
)
"""The four formulas of the service level, named by their methods; the default comes first."""

_ALL: Final = (
    Kpi("offered", "流入", "Offered", "calls", "callers who came to the queue", _count("offered")),
    Kpi("answered", "接听", "Answered", "calls", "answered by an agent", _count("answered")),
    Kpi(
        "answered_in_sl",
        "规定时间内接听",
        "Answered in time",
        "calls",
        _SL,
        _count("answered_in_sl"),
    ),
    Kpi(
        *("short_abandons", "短时放弃", "Short abandons", "calls"),
        "left before a fair chance (5 s unless set)",
        _count("short_abandons"),
    ),
    Kpi(
        *("actual_abandons", "实际放弃量", "Abandoned", "calls"),
        "offered - (answered + short abandons) - overflowed - call-backs",
        lambda counts: Figure(actual_abandons(counts)),
    ),
    Kpi(
        "overflowed", "溢出", "Overflowed", "calls", "handed on by the queue", _count("overflowed")
    ),
    Kpi(
        "callbacks",
        "预约回拨",
        "Call-backs",
        "calls",
        "asked to be called back",
        _count("callbacks"),
    ),
    Kpi(
        *("answer_rate", "接通率", "Answer rate", "percent"),
        "answered / offered",
        lambda counts: _percent(counts.answered, counts.offered, NOBODY_CALLED),
    ),
    Kpi(
        *("abandon_rate", "实际放弃率", "Abandon rate", "percent"),
        "abandoned / offered",
        lambda counts: _percent(actual_abandons(counts), counts.offered, NOBODY_CALLED),
    ),
    Kpi(
        *("loss_rate", "呼损率", "Loss rate", "percent"),
        "(offered - answered) / offered, short abandons included",
        lambda counts: _percent(counts.offered - counts.answered, counts.offered, NOBODY_CALLED),
    ),
    *SERVICE_LEVELS,
    Kpi(
        *("asa", "平均应答速度", "ASA", "seconds"),
        "wait of answered callers, from entering the queue / answered",
        lambda counts: _ratio(counts.wait_answered / 1000, counts.answered, NOBODY_ANSWERED),
    ),
    Kpi(
        *("longest_wait", "最长等待", "Longest wait", "seconds"),
        "the longest wait of any caller",
        lambda counts: Figure(counts.longest_wait / 1000),
    ),
    Kpi(
        "handled", "处理量", "Handled", "calls", "calls that the agent talked in", _count("handled")
    ),
    Kpi("talk", "通话时长", "Talk", "seconds", "talk, without hold", _seconds("talk")),
    Kpi("hold", "保持时长", "Hold", "seconds", "customers on hold", _seconds("hold")),
    Kpi("wrap_up", "话后工作", "After call", "seconds", "after-call work", _seconds("wrap_up")),
    Kpi(
        *("aht", "平均处理时间", "AHT", "seconds"),
        "(talk + hold + after-call work) / handled",
        lambda counts: _ratio(_busy(counts) / 1000, counts.handled, "nothing was handled"),
    ),
    Kpi(
        *("ring_time", "平均振铃时间", "Ring time", "seconds"),
        "ringing of the offers that were answered / their number",
        lambda counts: _ratio(counts.ring / 1000, counts.rung, NOBODY_ANSWERED),
    ),
    Kpi(
        *("answered_in_3", "三秒内接听", "In 3 s", "percent"),
        "offers answered within 3 s of ringing / offers answered",
        lambda counts: _percent(counts.answered_in_3, counts.rung, NOBODY_ANSWERED),
    ),
    Kpi(
        *("answered_in_5", "五秒内接听", "In 5 s", "percent"),
        "offers answered within 5 s of ringing / offers answered",
        lambda counts: _percent(counts.answered_in_5, counts.rung, NOBODY_ANSWERED),
    ),
    Kpi("missed", "漏接", "Missed", "calls", "offers that rang to their end", _count("missed")),
    Kpi("rejected", "拒接", "Rejected", "calls", "offers refused or busy", _count("rejected")),
    Kpi(
        *("utilisation", "CSR利用率", "Utilisation", "percent"),
        "(talk + hold + after-call work + available) / paid time",
        _utilisation,
    ),
    Kpi(
        *("occupancy", "占用率", "Occupancy", "percent"),
        "(talk + hold + after-call work) / (talk + hold + after-call work + available)",
        _occupancy,
    ),
    Kpi(
        *("fcr", "一次性问题解决率", "FCR", "percent"),
        f"1 - answered callers who called the queue again within {FCR_DAYS} days / answered",
        _first_contact,
    ),
    Kpi(
        *("csat", "客户满意度", "CSAT", "percent"),
        "satisfied answers / answers to the survey",
        lambda counts: _percent(counts.satisfied, counts.responses, "nobody answered the survey"),
    ),
    Kpi("asked", "邀请评价", "Asked", "calls", "callers whom the survey asked", _count("asked")),
    Kpi("responses", "评价数", "Answers", "calls", "those who answered it", _count("responses")),
    Kpi(
        *("response_rate", "调查参与率", "Response rate", "percent"),
        "answers to the survey / callers who were asked",
        lambda counts: _percent(counts.responses, counts.asked, "nobody was asked"),
    ),
    Kpi("traffic_in", "流入话务量", "Inflow", "calls", "offered", _count("offered")),
    Kpi("traffic_done", "完成话务量", "Completed", "calls", "answered", _count("answered")),
    Kpi(
        *("traffic_lost", "损失话务量", "Lost", "calls"),
        "offered - answered",
        lambda counts: Figure(counts.offered - counts.answered),
    ),
    Kpi(
        *("erlangs_in", "流入话务量", "Inflow", "erlangs"),
        "seconds of waiting, talk and hold of all callers / 3600 per hour",
        _erlangs(lambda c: c.wait_answered + c.wait_lost + c.talk + c.hold),
    ),
    Kpi(
        *("erlangs_done", "完成话务量", "Completed", "erlangs"),
        "seconds of talk and hold / 3600 per hour",
        _erlangs(lambda c: c.talk + c.hold),
    ),
    Kpi(
        *("erlangs_lost", "损失话务量", "Lost", "erlangs"),
        "seconds of waiting of callers who were not answered / 3600 per hour",
        _erlangs(lambda c: c.wait_lost),
    ),
)

KPIS: Final[Mapping[str, Kpi]] = {kpi.id: kpi for kpi in _ALL}
"""Every figure by its id."""

"""The figures of a call centre by their formulas: the worked example, and what is missing."""

from __future__ import annotations

import pytest

from pbx.cdr.counts import Counts
from pbx.cdr.kpi import KPIS, SERVICE_LEVELS

EXAMPLE = Counts(
    offered=510,
    answered=460,
    answered_in_sl=410,
    short_abandons=10,
    abandoned=40,
    abandoned_in_sl=10,
)
"""The worked example of the requirement: 510 offered, 460 answered, 410 of them within 20 s, ten
who left before a fair chance, all of those within 20 s."""


def value(kpi: str, counts: Counts) -> float | None:
    return KPIS[kpi].of(counts).value


@pytest.mark.parametrize(
    ("kpi", "expected"),
    [
        ("offered", 510),
        ("answered", 460),
        ("answered_in_sl", 410),
        ("short_abandons", 10),
        ("actual_abandons", 40),
        ("answer_rate", 90.196),
        ("sl_of_offered", 80.392),
        ("abandon_rate", 7.843),
        ("loss_rate", 9.804),
        ("sl_of_answered", 89.13),
        ("sl_short_removed", 82.0),
        ("sl_positive", 82.353),
        ("traffic_in", 510),
        ("traffic_done", 460),
        ("traffic_lost", 50),
    ],
)
def test_the_worked_example(kpi: str, expected: float) -> None:
    assert value(kpi, EXAMPLE) == expected


def test_the_service_level_of_nothing_said_is_that_of_offered() -> None:
    assert [kpi.en for kpi in SERVICE_LEVELS] == [
        "of offered",
        "of answered",
        "short abandons removed",
        "positive",
    ]


def test_handed_on_and_called_back_callers_are_no_abandons() -> None:
    counts = Counts(offered=20, answered=10, short_abandons=1, overflowed=4, callbacks=2)
    assert value("actual_abandons", counts) == 3
    assert value("loss_rate", counts) == 50.0


def test_times() -> None:
    counts = Counts(
        answered=4,
        wait_answered=50_000,
        handled=5,
        talk=600_000,
        hold=60_000,
        wrap_up=90_000,
        rung=4,
        ring=10_000,
        answered_in_3=3,
        answered_in_5=4,
        longest_wait=31_500,
    )
    assert value("asa", counts) == 12.5
    assert value("aht", counts) == 150.0
    assert value("ring_time", counts) == 2.5
    assert value("answered_in_3", counts) == 75.0
    assert value("answered_in_5", counts) == 100.0
    assert value("longest_wait", counts) == 31.5


def test_occupancy_needs_no_paid_time_and_utilisation_does() -> None:
    counts = Counts(talk=60, hold=10, wrap_up=10, available=20)
    assert value("occupancy", counts) == 80.0
    unknown = KPIS["utilisation"].of(counts)
    assert (unknown.value, unknown.reason) == (None, "the paid time is not known")
    counts.paid = 200
    assert value("utilisation", counts) == 50.0


def test_more_work_than_paid_time_is_a_mistake_and_no_figure() -> None:
    figure = KPIS["utilisation"].of(Counts(talk=60, available=60, paid=100))
    assert (figure.value, "paid time is wrong" in figure.reason) == (None, True)


def test_first_contacts_opinions_and_traffic() -> None:
    counts = Counts(
        contacts=50,
        repeated=5,
        asked=40,
        responses=20,
        satisfied=18,
        talk=5_400_000,
        hold=1_800_000,
        wait_answered=1_800_000,
        wait_lost=900_000,
        period=3_600_000,
    )
    assert value("fcr", counts) == 90.0
    assert value("csat", counts) == 90.0
    assert value("response_rate", counts) == 50.0
    assert value("erlangs_in", counts) == 2.75
    assert value("erlangs_done", counts) == 2.0
    assert value("erlangs_lost", counts) == 0.25


@pytest.mark.parametrize("kpi", KPIS)
def test_nothing_counted_is_a_zero_or_has_a_reason(kpi: str) -> None:
    figure = KPIS[kpi].of(Counts())
    if figure.value is None:
        assert figure.reason
    else:
        assert figure.value == 0


@pytest.mark.parametrize("kpi", KPIS.values(), ids=lambda kpi: kpi.id)
def test_each_figure_says_what_it_is(kpi: object) -> None:
    for name in ("id", "zh", "en", "formula", "unit", "version"):
        assert getattr(kpi, name)

"""Opening hours against the clock on the wall, and against an oracle that walks every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.plan.hours import Holiday, Schedule, Span, State
from pbx.plan.opening import judge, midnight_after, slots

NINE_TO_NOON, AFTERNOON = Span(540, 720), Span(810, 1080)
WORKDAY = (NINE_TO_NOON, AFTERNOON)
OFFICE = Schedule(
    "office",
    "Asia/Shanghai",
    weekly={**dict.fromkeys(range(5), WORKDAY), 5: (Span(600, 960),)},
    holidays=(
        Holiday(date(2026, 10, 1), date(2026, 10, 7)),
        Holiday(date(2000, 1, 1), date(2000, 1, 1), yearly=True),
    ),
    also_open={date(2026, 9, 20): (Span(540, 1080),)},
    override_key="*28",
)


def at(text: str, zone: str = "Asia/Shanghai", fold: int = 0) -> datetime:
    """Return a moment by the clock on the wall of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def opened(zone: str, *spans: Span, day: date | None = None) -> Schedule:
    """Return a schedule that is open daily, or on one day."""
    if day is not None:
        return Schedule("s", zone, also_open={day: spans})
    return Schedule("s", zone, weekly=dict.fromkeys(range(7), spans))


@pytest.mark.parametrize(
    ("when", "state", "reason", "reopens"),
    [
        ("2026-09-28 09:00", "open", "mon-fri 09:00-12:00", None),
        (
            "2026-09-28 08:59:59",
            "closed",
            "outside mon-fri 09:00-12:00, 13:30-18:00",
            "09-28 09:00",
        ),
        ("2026-09-28 12:00", "closed", "outside mon-fri 09:00-12:00, 13:30-18:00", "09-28 13:30"),
        ("2026-09-26 15:59:59", "open", "sat 10:00-16:00", None),
        ("2026-09-27 10:00", "closed", "never open on sun", "09-28 09:00"),
        ("2026-10-01 09:30", "holiday", "holiday 2026-10-01..10-07", "10-08 09:00"),
        ("2026-09-30 18:00", "closed", "outside mon-fri 09:00-12:00, 13:30-18:00", "10-08 09:00"),
        ("2026-09-20 10:00", "open", "make-up day 2026-09-20 09:00-18:00", None),
        ("2026-09-20 18:00", "closed", "outside make-up day 2026-09-20 09:00-18:00", "09-21 09:00"),
        ("2027-01-01 10:00", "holiday", "holiday 01-01", "2027-01-02 10:00"),
    ],
)
def test_the_office_is_judged_as_people_read_its_hours(
    when: str, state: State, reason: str, reopens: str | None
) -> None:
    verdict = judge(OFFICE, at(when))
    assert (verdict.state, verdict.reason) == (state, reason)
    if reopens is None:
        assert verdict.reopens is None
    else:
        year = "" if len(reopens) > 11 else "2026-"
        assert verdict.reopens == at(year + reopens)


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    assert judge(OFFICE, datetime(2026, 9, 28, 1, 0, tzinfo=UTC)).state == "open"
    assert judge(OFFICE, datetime(2026, 9, 28, 0, 59, tzinfo=UTC)).state == "closed"


def test_a_make_up_day_wins_over_a_holiday_and_the_day_is_closed_after_it() -> None:
    day = date(2026, 10, 3)
    schedule = Schedule(
        "s",
        "Asia/Shanghai",
        weekly=OFFICE.weekly,
        holidays=OFFICE.holidays,
        also_open={day: (NINE_TO_NOON,)},
    )
    assert judge(schedule, at("2026-10-03 09:00")).state == "open"
    assert judge(schedule, at("2026-10-03 12:00")).state == "closed"
    assert judge(schedule, at("2026-10-02 12:00")).reopens == at("2026-10-03 09:00")


def test_the_key_wins_until_midnight() -> None:
    shut = judge(OFFICE, at("2026-09-28 10:00"), "closed")
    assert (shut.state, shut.reason) == ("closed", "switched by *28 until 00:00")
    assert shut.reopens == at("2026-09-29 09:00")
    assert judge(OFFICE, at("2026-10-01 10:00"), "open").reopens is None


def test_what_is_switched_off_reopens_at_midnight_where_it_is_open_then() -> None:
    around_the_clock = opened("Asia/Shanghai", Span(0, 1440))
    assert judge(around_the_clock, at("2026-09-28 10:00"), "closed").reopens == at("2026-09-29")
    assert judge(opened("Asia/Shanghai", Span(1320, 120)), at("2026-09-28 23:00"), "closed") == (
        judge(opened("Asia/Shanghai", Span(1320, 120)), at("2026-09-28 23:30"), "closed")
    )


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    friday = Schedule(
        "bar",
        "Asia/Shanghai",
        weekly={4: (Span(1320, 120),)},
        holidays=(Holiday(date(2026, 9, 26), date(2026, 9, 26)),),
    )
    assert judge(friday, at("2026-09-25 22:00")).state == "open"
    assert judge(friday, at("2026-09-26 01:59")).reason == "fri 22:00-02:00"
    assert judge(friday, at("2026-09-26 02:00")).state == "holiday"
    assert judge(friday, at("2026-09-25 01:00")).state == "closed"
    off = Schedule(
        "bar",
        "Asia/Shanghai",
        weekly=friday.weekly,
        holidays=(Holiday(date(2026, 9, 25), date(2026, 9, 25)),),
    )
    assert judge(off, at("2026-09-26 01:00")).state == "closed"


def test_a_day_that_ends_at_24_00_is_open_in_its_last_minute() -> None:
    schedule = opened("Asia/Shanghai", Span(1080, 1440))
    assert judge(schedule, at("2026-09-28 23:59:59")).state == "open"
    assert judge(schedule, at("2026-09-29 00:00")).state == "closed"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-12-28", "closed"),
        ("2026-12-29", "holiday"),
        ("2026-12-31", "holiday"),
        ("2027-01-01", "holiday"),
        ("2027-01-03", "closed"),
    ],
)
def test_a_yearly_range_may_go_over_new_year(day: str, expected: State) -> None:
    holiday = Holiday(date(2000, 12, 29), date(2000, 1, 2), yearly=True)
    assert judge(Schedule("s", "UTC", holidays=(holiday,)), at(day, "UTC")).state == expected


def test_the_29th_of_february_is_a_holiday_in_leap_years() -> None:
    schedule = Schedule(
        "s", "UTC", holidays=(Holiday(date(2000, 2, 29), date(2000, 2, 29), yearly=True),)
    )
    assert judge(schedule, at("2028-02-29", "UTC")).state == "holiday"
    assert {judge(schedule, at(f"2027-{day}", "UTC")).state for day in ("02-28", "03-01")} == {
        "closed"
    }


def test_in_the_hour_that_is_skipped_it_opens_when_the_clock_has_jumped() -> None:
    schedule = opened("Europe/Berlin", Span(150, 600))  # 02:30; on 29 March 02:00 is 03:00
    verdict = judge(schedule, at("2026-03-29 01:59", "Europe/Berlin"))
    assert verdict.reopens is not None
    assert verdict.reopens.astimezone(UTC) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_the_hour_that_comes_twice_is_open_twice() -> None:
    schedule = opened("Europe/Berlin", Span(120, 150))  # 02:00-02:30 on 25 October, twice
    between = judge(schedule, at("2026-10-25 02:45", "Europe/Berlin"))
    assert between.reopens is not None
    assert between.reopens.astimezone(UTC) == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    assert judge(schedule, at("2026-10-25 02:15", "Europe/Berlin", fold=1)).state == "open"


def test_a_day_that_begins_at_one_ends_the_key_at_one() -> None:
    schedule = opened("Africa/Cairo", NINE_TO_NOON)  # 24 April 2026: 00:00 is 01:00
    end = midnight_after(schedule, at("2026-04-23 12:00", "Africa/Cairo"))
    assert end.astimezone(ZoneInfo("Africa/Cairo")).isoformat() == "2026-04-24T01:00:00+03:00"


def test_what_never_opens_again_says_so() -> None:
    past = opened("UTC", NINE_TO_NOON, day=date(2020, 1, 1))
    assert judge(past, at("2026-01-01", "UTC")).reopens is None
    far = opened("UTC", NINE_TO_NOON, day=date(2028, 1, 1))
    assert judge(far, at("2026-01-01", "UTC")).reopens is None
    always_off = Schedule(
        "s",
        "UTC",
        weekly=OFFICE.weekly,
        holidays=(Holiday(date(2000, 1, 1), date(2000, 12, 31), yearly=True),),
    )
    assert judge(always_off, at("2026-01-01", "UTC")).reopens is None


def test_the_slots_of_a_day_cover_it() -> None:
    found = slots(OFFICE, date(2026, 9, 28))
    assert [(slot.begin, slot.end, slot.state) for slot in found] == [
        (0, 540, "closed"),
        (540, 720, "open"),
        (720, 810, "closed"),
        (810, 1080, "open"),
        (1080, 1440, "closed"),
    ]
    (holiday,) = slots(OFFICE, date(2026, 10, 1))
    assert (holiday.begin, holiday.end, holiday.state) == (0, 1440, "holiday")


def test_the_slots_of_a_day_have_the_end_of_the_night_before() -> None:
    bar = Schedule("bar", "UTC", weekly={4: (Span(1320, 120),)})
    saturday = slots(bar, date(2026, 9, 26))
    assert [(slot.begin, slot.end, slot.state) for slot in saturday] == [
        (0, 120, "open"),
        (120, 1440, "closed"),
    ]


# -- against every minute --------------------------------------------------------------------

ZONES = (
    ("Asia/Shanghai", date(2026, 9, 20)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Kathmandu", date(2026, 12, 31)),
    ("Pacific/Apia", date(2011, 12, 30)),
)
"""Zones, and a day of each on which something may go wrong."""

LOOKED_AT = 3 * 1440
"""Minutes that the oracle looks ahead."""

_EDGES = st.sampled_from([0, 1, 30, 59, 60, 61, 90, 119, 120, 150, 180, 540, 1380, 1410, 1439])


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Draw the spans of a day, over midnight and until 24:00 too."""
    pairs = draw(st.lists(st.tuples(_EDGES, _EDGES | st.just(1440)), max_size=2))
    return tuple(Span(begin, end) for begin, end in pairs if begin != end)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Schedule, datetime, State | None]:
    """Draw a schedule, a moment about a day of interest, and what its key says."""
    zone, day = draw(st.sampled_from(ZONES))
    days = st.integers(-2, 3).map(lambda ahead: day + timedelta(days=ahead))
    pairs = draw(st.lists(st.tuples(days, days, st.booleans()), max_size=2))
    schedule = Schedule(
        "s",
        zone,
        weekly=draw(st.dictionaries(st.integers(0, 6), spans())),
        holidays=tuple(
            Holiday(first, last, yearly) for first, last, yearly in pairs if yearly or first <= last
        ),
        also_open=draw(st.dictionaries(days, spans(), max_size=2)),
        override_key="*28",
    )
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    moment = noon + timedelta(minutes=draw(st.integers(-2160, 1440)))
    return schedule, moment, draw(st.sampled_from([None, None, None, "open", "closed"]))


def naive_state(schedule: Schedule, moment: datetime) -> State:
    """Say what holds at a moment, from nothing but the file's words."""
    wall = moment.astimezone(ZoneInfo(schedule.timezone))
    minute = wall.hour * 60 + wall.minute
    today, before = wall.date(), wall.date() - timedelta(days=1)
    for span in naive_spans(schedule, today):
        if span.begin <= minute < (span.end if span.begin < span.end else 1440):
            return "open"
    for span in naive_spans(schedule, before):
        if span.end < span.begin and minute < span.end:
            return "open"
    off = naive_holiday(schedule, today) and today not in schedule.also_open
    return "holiday" if off else "closed"


def naive_spans(schedule: Schedule, day: date) -> tuple[Span, ...]:
    if day in schedule.also_open:
        return schedule.also_open[day]
    return () if naive_holiday(schedule, day) else schedule.weekly.get(day.weekday(), ())


def naive_holiday(schedule: Schedule, day: date) -> bool:
    for holiday in schedule.holidays:
        part = slice(5 if holiday.yearly else 0, None)
        first, last, this = (each.isoformat()[part] for each in (holiday.first, holiday.last, day))
        if first <= this <= last or (last < first and not last < this < first):
            return True
    return False


@given(cases())
@settings(max_examples=50, deadline=None)
def test_every_minute_is_judged_as_the_oracle_does(
    case: tuple[Schedule, datetime, State | None],
) -> None:
    schedule, moment, switched = case
    zone = ZoneInfo(schedule.timezone)
    verdict = judge(schedule, moment, switched)
    assert verdict.state == (switched or naive_state(schedule, moment))
    if verdict.state == "open":
        assert verdict.reopens is None
        return
    today = moment.astimezone(zone).date()
    first = next(
        (
            later
            for later in (moment + timedelta(minutes=ahead) for ahead in range(1, LOOKED_AT))
            if not (switched and later.astimezone(zone).date() <= today)
            and naive_state(schedule, later) == "open"
        ),
        None,
    )
    if first is not None:
        assert verdict.reopens is not None  # ==, of an hour that comes twice, is never true
        assert verdict.reopens.astimezone(UTC) == first.astimezone(UTC)
        assert verdict.reopens.utcoffset() == first.astimezone(zone).utcoffset()
    elif verdict.reopens is not None:
        assert verdict.reopens >= moment + timedelta(minutes=LOOKED_AT)


@given(cases())
@settings(max_examples=50, deadline=None)
def test_slots_say_of_each_minute_what_is_judged(
    case: tuple[Schedule, datetime, State | None],
) -> None:
    schedule, moment, _ = case
    zone = ZoneInfo(schedule.timezone)
    found = slots(schedule, moment.astimezone(zone).date())
    assert [slot.begin for slot in found[1:]] == [slot.end for slot in found[:-1]]
    wall = moment.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    (slot,) = (slot for slot in found if slot.begin <= minute < slot.end)
    verdict = judge(schedule, moment)
    assert (slot.state, slot.reason) == (verdict.state, verdict.reason)

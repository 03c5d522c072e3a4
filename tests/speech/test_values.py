"""What holds for every value in every language: it is said, it is said once, and nothing breaks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pbx.speech.reading import LONGEST
from pbx.speech.values import FORMATS, LANGUAGES, spoken
from tests.speech.golden import NOW

CODINGS = {"zh": "gb2312", "yue": "big5hkscs", "en": "ascii"}
"""What has the characters of a language, and not those of the others."""

_ENGLISH_UNITS = {"thousand": 10**3, "million": 10**6}
_CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}


def english_value(words: str) -> int:
    """Return the number below 10⁹ that English words say."""
    names = {spoken(str(number), "number", "en"): number for number in range(100)}
    total = group = 0
    for word in words.split():
        if word == "hundred":
            group *= 100
        elif word in _ENGLISH_UNITS:
            total, group = total + group * _ENGLISH_UNITS[word], 0
        else:
            group += names[word]
    return total + group


def chinese_value(words: str) -> int:
    """Return the number that Chinese words say."""
    words = words.translate(str.maketrans("兩两億萬", "二二亿万"))
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        above, there, below = words.partition(unit)
        if there:
            return chinese_value(above) * size + chinese_value(below)
    total, count = 0, None
    for character in words:
        if character in _CHINESE_UNITS:
            total += (1 if count is None else count) * _CHINESE_UNITS[character]
            count = None
        else:
            count = _CHINESE_DIGITS[character]
    return total + (count or 0)


@given(st.integers(0, 10**9 - 1))
@example(100_002_000)
@example(20_002_000)
def test_the_words_of_a_number_say_that_number_and_no_other(number: int) -> None:
    assert chinese_value(spoken(str(number), "number", "zh")) == number
    assert chinese_value(spoken(str(number), "number", "yue")) == number
    assert english_value(spoken(str(number), "number", "en")) == number


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from(sorted(LANGUAGES)))
def test_no_two_numbers_sound_alike(one: int, other: int, language: str) -> None:
    words = {spoken(str(number), "number", language) for number in (one, other)}
    assert len(words) == len({one, other})


def test_no_two_amounts_below_a_hundred_sound_alike() -> None:
    amounts = [f"USD {cents // 100}.{cents % 100:02}" for cents in range(10_000)]
    for language in LANGUAGES:
        assert len({spoken(amount, "money", language) for amount in amounts}) == len(amounts)


def test_every_minute_of_a_day_sounds_different() -> None:
    minutes = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]
    for language, coding in CODINGS.items():
        words = {spoken(minute, "time", language) for minute in minutes}
        assert len(words) == len(minutes)
        assert all(each.encode(coding) for each in words)


_NEARLY = st.one_of(
    st.from_regex(r"[-+−]?[0-9,]{1,20}(\.[0-9]*)?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:]*[Z+-]?[0-9:]*", fullmatch=True),
    st.from_regex(r"(CNY|USD|¥|\$)? ?-?[0-9,]+\.?[0-9]*(元|EUR)?", fullmatch=True),
    st.from_regex(r"\+?[-0-9A-Z*#() ]{0,20}", fullmatch=True),
)
_NOWS = st.sampled_from(
    [None, NOW, datetime(2026, 9, 28, tzinfo=ZoneInfo("Asia/Shanghai")), NOW.replace(tzinfo=None)]
)


@given(
    st.one_of(st.text(), _NEARLY),
    st.sampled_from([None, "colour", *FORMATS]),
    st.sampled_from(["fr", *LANGUAGES]),
    _NOWS,
)
@example("0001-01-01T00:00+14:00", "datetime", "zh", NOW)
@example(
    "9999-12-31T23:59-12:00", "date", "en", datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))
)
@example("2026-01-01T00:00+99:99", "time", "yue", NOW)
@example("٣", "number", "zh", None)
@example("²", "digits", "en", None)
def test_no_value_is_an_error_and_none_is_lost(
    value: str, format: str | None, language: str, now: datetime | None
) -> None:
    words = spoken(value, format, language, now=now)
    assert words == value or words.encode(CODINGS.get(language, "gb2312"))
    assert bool(words) == bool(value)


@pytest.mark.parametrize("format", [None, "colour"])
def test_a_value_without_a_known_format_is_said_as_it_is(format: str | None) -> None:
    assert spoken(" 12 ", format, "zh") == " 12 "


def test_a_value_of_any_length_is_looked_at_only_so_far() -> None:
    long = "1" * (LONGEST + 1)
    assert {spoken(long, format, "zh") for format in FORMATS} == {long}


def test_an_unknown_language_is_spoken_to_in_mandarin() -> None:
    assert spoken("2", "number", "fr") == "二"


def test_a_year_is_said_where_nobody_says_what_year_it_is() -> None:
    assert spoken("2026-09-28", "date", "zh") == "二零二六年九月二十八号"
    assert spoken("2026-09-28", "date", "en") == "September twenty-eighth, twenty twenty-six"


def test_a_moment_of_another_zone_is_told_in_the_offices() -> None:
    shanghai = datetime(2026, 9, 28, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert spoken("2026-09-28T20:00:00Z", "datetime", "zh", now=shanghai) == "明天凌晨四点"
    assert spoken("2026-09-28T20:00:00+0800", "datetime", "zh", now=shanghai) == "今天晚上八点"
    assert spoken("2026-09-28T20:00:00", "datetime", "zh", now=shanghai) == "今天晚上八点"
    unzoned = shanghai.replace(tzinfo=None)
    assert spoken("2026-09-28T20:00:00Z", "datetime", "zh", now=unzoned) == "今天晚上八点"
    assert spoken("2026-09-28T20:00:00Z", "time", "en", now=shanghai.astimezone(UTC)) == (
        "eight p.m."
    )

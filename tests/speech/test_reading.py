"""Values as they stand in variables: what is read as what, and what is nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from pbx.speech.reading import (
    Moment,
    Money,
    Number,
    near,
    read_groups,
    read_moment,
    read_money,
    read_number,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", Number(12)),
        (" 12 ", Number(12)),
        ("-12.30", Number(12, "30", negative=True)),
        ("1,234,567.8", Number(1234567, "8")),
        ("１２．５", Number(12, "5")),
        ("-0.00", Number(0, "00")),
        ("9999999999999999", Number(9999999999999999)),
    ],
)
def test_numbers(text: str, number: Number) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "5.", "1,23", "1e5", "0x1", "一", "+5", "1 2", "1" * 17, "1.2.3"]
)
def test_what_is_no_number(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "currency", "cents"),
    [
        ("12.5", None, 50),
        ("12.05", None, 5),
        ("rmb 3", "CNY", 0),
        ("CNY12.34", "CNY", 34),
        ("HK$ 3.2", "HKD", 20),
        ("NT$300", "TWD", 0),
        ("3.50 gbp", "GBP", 50),
        ("-$3", "USD", 0),
        ("$-3", "USD", 0),
    ],
)
def test_money(text: str, currency: str | None, cents: int) -> None:
    money = read_money(text)
    assert money is not None
    assert (money.currency, money.cents) == (currency, cents)


@pytest.mark.parametrize(
    "text", ["", "$", "$ $3", "CNY 3 EUR", "1.234", "--3", "-$-3", "3 francs", ",", "$1,2"]
)
def test_what_is_no_money(text: str) -> None:
    assert read_money(text) is None


def test_an_amount_keeps_its_sign() -> None:
    assert read_money("USD -3.10") == Money(Number(3, "10", negative=True), "USD")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-30", Moment(date(2026, 9, 30), None)),
        ("2026/9/3", Moment(date(2026, 9, 3), None)),
        ("09:30", Moment(None, time(9, 30))),
        ("9:30:59", Moment(None, time(9, 30))),
        ("2026-09-30 09:30", Moment(date(2026, 9, 30), time(9, 30))),
        ("2026-09-30T09:30:15.250Z", Moment(date(2026, 9, 30), time(9, 30))),
        ("2026-09-30T09:30+08", Moment(date(2026, 9, 30), time(9, 30))),
    ],
)
def test_moments(text: str, moment: Moment) -> None:
    assert read_moment(text, None) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-02-29",
        "2026-9",
        "0000-01-01",
        "2026-09/30",
        "24:00",
        "9:60",
        "9",
        "9:3",
        "tomorrow",
    ],
)
def test_what_is_no_moment(text: str) -> None:
    assert read_moment(text, None) is None


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("1", ["1"]),
        ("10086", ["10086"]),
        ("123456", ["123", "456"]),
        ("1234567", ["123", "4567"]),
        ("21234567", ["2123", "4567"]),
        ("202600123", ["202", "600", "123"]),
        ("4008001234", ["400", "800", "1234"]),
        ("13800138000", ["138", "0013", "8000"]),
        ("075587654321", ["0755", "8765", "4321"]),
        ("1234567890123", ["123", "456", "789", "0123"]),
        ("+8613800138000", ["+86", "138", "0013", "8000"]),
        ("+85221234567", ["+852", "2123", "4567"]),
        ("+999", ["+999"]),
        ("010-6552 9988", ["010", "6552", "9988"]),
        ("(010) 6552-9988", ["010", "6552", "9988"]),
        ("*97", ["*97"]),
        ("b2c", ["B2C"]),
    ],
)
def test_groups_of_digits(text: str, groups: list[str]) -> None:
    assert read_groups(text) == tuple(groups)


@pytest.mark.parametrize("text", ["", "-", "+", "*#", "anonymous", "ROOM12", "12-", "1;2", "粤B1"])
def test_what_is_not_said_digit_by_digit(text: str) -> None:
    assert read_groups(text) is None


def test_days_near_now_have_names() -> None:
    now = datetime(2026, 9, 30, 23, 59, tzinfo=UTC)
    assert near(date(2026, 9, 29), now) == "yesterday"
    assert near(date(2026, 9, 30), now) == "today"
    assert near(date(2026, 10, 1), now) == "tomorrow"
    assert near(date(2026, 10, 2), now) is None
    assert near(date(2026, 9, 30), None) is None

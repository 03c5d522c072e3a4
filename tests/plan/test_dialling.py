"""Which rule of `outbound` a number goes out by."""

from __future__ import annotations

import pytest

from pbx.plan.dialling import (
    emergency_rule,
    is_help,
    leads_abroad,
    rule_for,
    sent_as,
    sent_for_help,
)
from pbx.plan.model import Defaults, OutboundRule, Plan

RULES = (
    OutboundRule("national", ("0", "1"), ("a",)),
    OutboundRule("abroad", ("00", "+"), ("b",)),
    OutboundRule("same", ("0",), ("c",)),
    OutboundRule("emergency", ("110", "999"), ("a",), emergency=True),
)
PLAN = Plan("test", outbound={rule.name: rule for rule in RULES})


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("02888886666", "national"),
        ("0085221234567", "abroad"),
        ("+85221234567", "abroad"),
        ("110", "emergency"),
        ("1101", "national"),
        ("999", "emergency"),
        ("9990", None),
        ("5551234", None),
        ("", None),
        ("028-8888 6666", "national"),
        ("(00)852 2123.4567", "abroad"),
        ("1-1-0", "emergency"),
        ("0;phone-context=x", None),
        ("0@example.com", None),
    ],
)
def test_the_longest_beginning_wins_and_help_is_matched_whole(
    number: str, name: str | None
) -> None:
    rule = rule_for(PLAN, number)
    assert (None if rule is None else rule.name) == name
    assert (emergency_rule(PLAN, number) is not None) is (name == "emergency")


def test_help_is_what_the_plan_says_and_what_the_country_has() -> None:
    assert is_help(PLAN, "999"), "said by the plan"
    assert is_help(PLAN, "120"), "known in China"
    assert not is_help(PLAN, "1200")


def test_digits_are_taken_off_before_others_are_put_on() -> None:
    rule = OutboundRule("nine", ("9",), ("a",), strip=1, add="+86")
    assert sent_as(rule, "913800138000") == "+8613800138000"
    assert sent_as(RULES[0], "02888886666") == "02888886666"
    assert sent_as(RULES[0], "028-8888 6666") == "02888886666", "what is checked is what is sent"


@pytest.mark.parametrize(
    ("country", "number", "sent"),
    [
        ("US", "911", "911"),
        ("US", "9911", "911"),
        ("US", "9-911", "911"),
        ("US", "99110", None),
        ("US", "912025550123", None),
        ("AU", "000", "000"),
        ("CN", "9110", "110"),
        ("CN", "91101", None),
    ],
)
def test_no_rule_for_other_numbers_spoils_one_for_help(
    country: str, number: str, sent: str | None
) -> None:
    nine = OutboundRule("nine", ("9",), ("a",), strip=1, add="77")
    zero = OutboundRule("zero", ("0",), ("a",), strip=1)
    plan = Plan("test", outbound={"nine": nine, "zero": zero}, defaults=Defaults(country=country))
    assert sent_for_help(plan, number) == sent
    assert is_help(plan, number) is (sent is not None)


@pytest.mark.parametrize(
    ("number", "strip", "add", "abroad"),
    [
        ("0085221234567", 0, "", True),
        ("0085221234567", 0, "8801#", True),
        ("0085221234567", 2, "", True),
        ("90085221234567", 3, "", True),
        ("90085221234567", 3, "8801", True),
        ("90085221234567", 1, "", True),
        ("00-852-2123-4567", 0, "", True),
        ("0(0)85221234567", 0, "", True),
        ("+85221234567", 1, "", True),
        ("008613800138000", 2, "", False),
        ("0085212345678", 1, "", False),  # 0 for a line, then 0852, a city
        ("913800138000", 1, "8801", False),
        ("13800138000", 0, "+86", False),
    ],
)
def test_abroad_is_abroad_whatever_is_taken_off_and_put_on(
    number: str, strip: int, add: str, abroad: bool
) -> None:
    rule = OutboundRule("any", ("",), ("a",), strip=strip, add=add)
    assert leads_abroad(rule, number, "CN") is abroad

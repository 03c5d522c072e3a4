"""Which rule of `outbound` a number goes out by."""

from __future__ import annotations

import pytest

from pbx.plan.dialling import emergency_rule, is_help, rule_for, sent_as
from pbx.plan.model import OutboundRule, Plan

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

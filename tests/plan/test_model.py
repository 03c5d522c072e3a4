"""Asking a plan: exact numbers for phones, any spelling of a number for carriers."""

from __future__ import annotations

import pytest

from pbx.plan.loader import parse_plan
from pbx.plan.model import Destination, Plan, spelling_of

NAMED = Destination("ext", "102")
OTHER = Destination("ext", "101")


def plan_of(number: str, *, other: bool = True) -> Plan:
    last = "\n  anything_else: ext:101" if other else ""
    plan, _ = parse_plan(f'version: 1\nnumbers:\n  "{number}": ext:102{last}\n', "d")
    assert plan is not None
    return plan


@pytest.mark.parametrize("named", ["+85221234567", "85221234567", "0085221234567"])
@pytest.mark.parametrize("called", ["+85221234567", "85221234567", "0085221234567"])
def test_a_carrier_may_write_a_number_in_any_international_way(named: str, called: str) -> None:
    assert plan_of(named).inbound(called) == NAMED


def test_a_carriers_unnamed_number_goes_to_anything_else() -> None:
    assert plan_of("+85221234567").inbound("+85299999999") == OTHER
    assert plan_of("+85221234567", other=False).inbound("+85299999999") is None


def test_a_phone_finds_only_what_it_dialled() -> None:
    plan = plan_of("85221234567")
    assert plan.destination("+85221234567") is None
    assert plan.destination("85221234567") == NAMED


def test_short_numbers_have_one_spelling() -> None:
    assert spelling_of("00101") == "00101"
    assert spelling_of("+4930") == "+4930"
    assert plan_of("101").inbound("00101") == OTHER

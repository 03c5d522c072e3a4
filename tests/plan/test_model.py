"""Asking a plan: exact numbers for phones, any spelling of a number for carriers."""

from __future__ import annotations

import pytest

from pbx.plan.destination import HANGUP, OPERATOR, Destination
from pbx.plan.model import NumberRoute, Plan, Prompt, PromptFile
from pbx.plan.numbering import spelling_of
from tests.kit.broken import loaded

NAMED = Destination("ext", "102")
OTHER = Destination("ext", "101")


def plan_of(number: str, *, other: bool = True) -> Plan:
    last = "\n  anything_else: ext:101" if other else ""
    return loaded(f'numbers:\n  "{number}": ext:102{last}\n')


def place(route: NumberRoute | None) -> Destination | None:
    return route.destination if route is not None else None


@pytest.mark.parametrize("named", ["+85221234567", "85221234567", "0085221234567"])
@pytest.mark.parametrize("called", ["+85221234567", "85221234567", "0085221234567"])
def test_a_carrier_may_write_a_number_in_any_international_way(named: str, called: str) -> None:
    assert place(plan_of(named).inbound(called)) == NAMED


def test_a_carriers_unnamed_number_goes_to_anything_else() -> None:
    assert place(plan_of("+85221234567").inbound("+85299999999")) == OTHER
    assert plan_of("+85221234567", other=False).inbound("+85299999999") is None


def test_a_phone_finds_only_what_it_dialled() -> None:
    plan = plan_of("85221234567")
    assert plan.number("+85221234567") is None
    assert place(plan.number("85221234567")) == NAMED


def test_short_numbers_have_one_spelling() -> None:
    assert spelling_of("00101") == "00101"
    assert spelling_of("+4930") == "+4930"
    assert place(plan_of("101").inbound("00101")) == OTHER


def test_operator_means_what_the_defaults_say() -> None:
    assert loaded("defaults: {operator: ext:101}").resolved(OPERATOR) == OTHER
    assert loaded("").resolved(OPERATOR) is None
    assert loaded("").resolved(HANGUP) == HANGUP


def test_a_prompt_falls_back_to_mandarin_first() -> None:
    prompt = Prompt("p", {"yue": PromptFile("a.wav"), "en": PromptFile("b.wav")})
    assert [prompt.language(wanted) for wanted in ("en", "zh", "yue")] == ["en", "yue", "yue"]
    assert Prompt("p", {}).language("zh") is None

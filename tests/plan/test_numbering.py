"""All ways to write a number are one, in the office's country."""

from __future__ import annotations

import pytest

from pbx.plan.numbering import dialled, is_abroad, is_country, is_emergency, spelled


@pytest.mark.parametrize(
    ("written", "country", "spelling", "as_dialled"),
    [
        *(
            (number, "CN", "862888886666", "02888886666")
            for number in (
                *("02888886666", "2888886666", "862888886666"),
                *("+862888886666", "00862888886666"),
            )
        ),
        *(
            (number, "CN", "8613800138000", "13800138000")
            for number in ("13800138000", "+8613800138000", "008613800138000")
        ),
        ("+85221234567", "CN", "85221234567", "0085221234567"),
        ("0085221234567", "CN", "85221234567", "0085221234567"),
        ("21234567", "HK", "85221234567", "21234567"),
        ("+85221234567", "HK", "85221234567", "21234567"),
        ("+12025550123", "US", "12025550123", "12025550123"),
        ("4008001234", "CN", "864008001234", "4008001234"),
    ],
)
def test_a_number_has_one_spelling_and_one_way_to_dial_it(
    written: str, country: str, spelling: str, as_dialled: str
) -> None:
    assert spelled(written, country) == spelling
    assert dialled(written, country) == as_dialled


@pytest.mark.parametrize("text", ["101", "10086", "95588", "110", "anonymous", "*43", "", "+"])
def test_what_is_no_number_of_a_country_stays_as_it_is(text: str) -> None:
    assert spelled(text, "CN") == dialled(text, "CN") == text


@pytest.mark.parametrize(
    ("number", "country", "abroad"),
    [
        ("0085221234567", "CN", True),
        ("+85221234567", "CN", True),
        ("00900123456", "CN", True),
        ("00861380013800", "CN", False),
        ("+8613800138000", "CN", False),
        ("13800138000", "CN", False),
        ("02888886666", "CN", False),
        ("10086", "CN", False),
        ("101", "CN", False),
        ("01118765551234", "US", True),
        ("0118765551234", "US", True),
        ("+999123456789", "US", True),
        ("18765551234", "US", True),
        ("12025550123", "US", False),
        ("1790085221234567", "CN", False),
        ("*43", "CN", False),
    ],
)
def test_other_countries_are_abroad_even_behind_the_same_code(
    number: str, country: str, abroad: bool
) -> None:
    assert is_abroad(number, country) is abroad


def test_each_country_has_its_own_numbers_for_help() -> None:
    assert all(is_emergency(number, "CN") for number in ("110", "119", "120"))
    assert is_emergency("999", "HK")
    assert not is_emergency("999", "CN")
    assert not is_emergency("1100", "CN")
    assert not is_emergency("anonymous", "CN")


def test_countries_are_two_letters() -> None:
    assert is_country("CN")
    assert not is_country("XX")
    assert not is_country("cn")

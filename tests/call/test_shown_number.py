"""Which number a carrier is shown, and how."""

from __future__ import annotations

import pytest

from pbx.call.line import Line
from pbx.call.shown_number import identified, number_shown
from pbx.plan.numbering import spelled
from tests.kit.exchange import Trunk

ONE, TWO, OTHER = "02888886666", "02888886667", "02812345678"


def shown(
    numbers: tuple[str, ...],
    *wanted: str | None,
    by_rule: str | None = None,
    username: str | None = None,
) -> str | None:
    entry = Trunk("main", "198.51.100.7", numbers=numbers, username=username)
    line = Line(entry, call_id="id", realm_refused=lambda realm: None)
    return number_shown(line, wanted, by_rule=by_rule, spelled=lambda number: spelled(number, "CN"))


@pytest.mark.parametrize(
    ("wanted", "by_rule", "number"),
    [
        ((TWO, ONE), ONE, TWO),
        ((None, TWO), ONE, TWO),
        ((None, None), TWO, TWO),
        ((OTHER, TWO), None, TWO),
        ((OTHER, OTHER), OTHER, ONE),
        ((), None, ONE),
        (("+862888886667",), None, TWO),
    ],
)
def test_the_first_wish_that_the_line_has_is_shown_as_the_line_writes_it(
    wanted: tuple[str | None, ...], by_rule: str | None, number: str
) -> None:
    assert shown((ONE, TWO), *wanted, by_rule=by_rule) == number


def test_a_line_without_numbers_shows_the_rules_or_its_user() -> None:
    assert shown((), TWO, by_rule=ONE, username="u") == ONE
    assert shown((), TWO, username="u") == "u"
    assert shown((), TWO) is None


def test_a_number_stands_in_from_and_is_asserted() -> None:
    from_, headers = identified(ONE, "carrier.example")
    assert str(from_) == f"<sip:{ONE}@carrier.example>"
    assert headers == (("P-Asserted-Identity", f"<sip:{ONE}@carrier.example>"),)


def test_nothing_is_said_of_who_has_no_number() -> None:
    from_, headers = identified(None, "carrier.example")
    assert str(from_) == "<sip:anonymous@anonymous.invalid>"
    assert headers == (("Privacy", "id"),)

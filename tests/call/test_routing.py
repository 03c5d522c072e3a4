"""Which number leads where."""

from __future__ import annotations

import pytest

from pbx.call.routing import Destinations, from_extension, from_trunk
from pbx.call.standard import standard_destinations, standard_features
from pbx.errors import UsageError
from pbx.plan.destination import Destination
from pbx.plan.model import NumberRoute, Plan

PLAN = Plan(
    "v",
    {
        "100": NumberRoute("100", Destination("ext", "102")),
        "+85221234567": NumberRoute("+85221234567", Destination("ext", "103")),
    },
    NumberRoute("anything_else", Destination("ext", "101")),
)
EXTENSIONS = {"101": object(), "102": object()}


def where(number: str, plan: Plan = PLAN) -> str:
    features = standard_features()
    found = from_extension(number, features=features, plan=plan, extensions=EXTENSIONS.get)
    return str(found)


@pytest.mark.parametrize(
    ("number", "destination"),
    [
        ("*43", "feature:echo"),
        ("*99", "feature:unknown_code"),
        ("100", "numbers:100"),
        ("102", "ext:102"),
        ("999", "None"),
        ("", "None"),
    ],
)
def test_from_an_extension(number: str, destination: str) -> None:
    assert where(number) == destination


def test_the_plan_wins_over_an_extension_of_the_same_number() -> None:
    plan = Plan("v", {"101": NumberRoute("101", Destination("ext", "102"))})
    assert where("101", plan) == "numbers:101"


def test_a_code_that_the_plan_gives_a_feature_is_dialled_for_it() -> None:
    plan = Plan("v", features={"echo": "*99"})
    assert where("*99", plan) == "feature:echo"
    assert where("*43", plan) == "feature:unknown_code"


def test_a_trunk_finds_international_spellings_and_the_catch_all() -> None:
    assert str(from_trunk("0085221234567", plan=PLAN)) == "numbers:+85221234567"
    assert str(from_trunk("555", plan=PLAN)) == "numbers:anything_else"
    assert from_trunk("102", plan=Plan("v")) is None


def test_a_kind_is_registered_once() -> None:
    destinations = standard_destinations(standard_features())
    assert destinations.kinds() == ("conference", "ext", "feature", "number", "ring")
    with pytest.raises(UsageError):
        destinations.register("ext", lambda call, name: None)  # type: ignore[arg-type,return-value]


async def _nowhere(destinations: Destinations) -> None:
    await destinations.go(None, Destination("moon", "1"))  # type: ignore[arg-type]


def test_an_unknown_kind_is_a_defect() -> None:
    coroutine = _nowhere(standard_destinations(standard_features()))
    with pytest.raises(UsageError):
        coroutine.send(None)

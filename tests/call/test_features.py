"""Which code means which feature, in which plan."""

from __future__ import annotations

import pytest

from pbx.call.call import Call
from pbx.call.features import Features
from pbx.call.outcome import Outcome, no_answer
from pbx.call.standard import standard_features
from pbx.errors import UsageError
from pbx.plan.hours import Schedule
from pbx.plan.model import Plan

CALL: Call = None  # type: ignore[assignment]


async def _nothing(call: Call, argument: str = "") -> Outcome:
    return no_answer()


def several() -> Features:
    features = Features()
    features.register("echo", "*43", _nothing)
    features.register("time", "*60", _nothing)
    features.register("silent", "", _nothing)
    return features


def test_a_feature_without_a_word_in_the_plan_keeps_its_code() -> None:
    assert several().codes(Plan("v")) == {"*43": "echo", "*60": "time"}


def test_the_plan_gives_a_feature_another_code_and_switches_one_off() -> None:
    plan = Plan("v", features={"echo": "", "time": "*117"})
    assert several().codes(plan) == {"*117": "time"}


def test_the_plan_gives_a_code_to_a_feature_that_had_none() -> None:
    assert several().codes(Plan("v", features={"silent": "*9"}))["*9"] == "silent"


def test_a_code_that_the_plan_gives_away_is_no_longer_that_of_another() -> None:
    assert several().codes(Plan("v", features={"echo": "*60"})) == {"*60": "echo"}


def test_a_feature_that_does_not_exist_has_no_code() -> None:
    assert "*72" not in several().codes(Plan("v", features={"forward": "*72"}))


def test_a_schedules_key_switches_it_where_there_is_such_a_feature() -> None:
    office = Schedule("office", "Asia/Shanghai", override_key="*28")
    plan = Plan("v", hours={"office": office, "shop": Schedule("shop", "Asia/Shanghai")})
    features = several()
    assert "*28" not in features.codes(plan)
    features.register("day_night", "", _nothing)
    assert features.codes(plan)["*28"] == "day_night:office"
    assert "" not in features.codes(plan)


def test_each_plan_has_its_own_codes() -> None:
    features, one, other = several(), Plan("v"), Plan("v", features={"echo": ""})
    assert "*43" in features.codes(one)
    assert "*43" not in features.codes(other)
    assert "*43" in features.codes(one)
    assert features.codes(one) is features.codes(one)


@pytest.mark.parametrize(("name", "code"), [("echo", "*44"), ("mirror", "*43")])
def test_a_name_and_a_code_are_registered_once(name: str, code: str) -> None:
    with pytest.raises(UsageError):
        several().register(name, code, _nothing)


def _argument_of(name: str) -> list[str]:
    """Return what the coroutine of a feature was given when `name` is run."""
    given: list[str] = []

    async def note(call: Call, *arguments: str) -> Outcome:
        given.extend(arguments)
        return no_answer()

    features = Features()
    features.register("day_night", "", note)
    with pytest.raises(StopIteration):
        features.go(CALL, name).send(None)
    return given


def test_what_stands_after_a_colon_is_the_features_argument() -> None:
    assert _argument_of("day_night:office: north") == ["office: north"]
    assert _argument_of("day_night") == []


def test_a_feature_that_nobody_registered_is_a_defect() -> None:
    with pytest.raises(UsageError):
        several().go(CALL, "moon").send(None)


def test_every_standard_feature_has_one_code_or_none() -> None:
    features = standard_features()
    codes = features.codes(Plan("v"))
    assert codes["*43"] == "echo"
    assert "unknown_code" not in codes.values()
    assert set(codes.values()) == {name for name, code in features.defaults.items() if code}

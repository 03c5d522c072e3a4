from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.keys.keypad import Keypad, KeySource
from pbx.media.protocol import AnyWorkerEvent, CodeHeard, DigitHeard


class Desk:
    """A leg's keypad, whose wake-up calls come when time passes."""

    def __init__(self, *codes: str) -> None:
        self.now = 100.0
        self.reported: list[AnyWorkerEvent] = []
        self.downs: list[float] = []
        self.passed: list[tuple[str, KeySource]] = []
        self._calls: list[tuple[float, Callable[[float], None]]] = []
        self.keypad = Keypad(
            3,
            report=self.reported.append,
            on_down=lambda: self.downs.append(self.now),
            pass_on=lambda digit, source, now: self.passed.append((digit, source)),
            wake=lambda when, call: self._calls.append((when, call)),
        )
        self.keypad.set_codes(codes, self.now)

    def press(self, digits: str, source: KeySource = "rfc4733", *, heard: bool = False) -> None:
        for digit in digits:
            self.keypad.hear(digit, 100, source, heard=heard, now=self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        due = [call for when, call in self._calls if when <= self.now]
        self._calls = [(when, call) for when, call in self._calls if when > self.now]
        for call in due:
            call(self.now)

    @property
    def heard(self) -> str:
        return "".join(digit for digit, _ in self.passed)

    @property
    def codes(self) -> list[str]:
        return [event.code for event in self.reported if isinstance(event, CodeHeard)]


def test_every_key_is_reported_once_and_goes_on():
    desk = Desk()
    desk.press("12")
    assert desk.reported == [DigitHeard(3, "1", 100), DigitHeard(3, "2", 100)]
    assert desk.passed == [("1", "rfc4733"), ("2", "rfc4733")]


def test_a_key_that_was_heard_already_is_not_passed_on_again():
    desk = Desk()
    desk.press("1", heard=True)
    assert len(desk.reported) == 1
    assert desk.passed == []


def test_the_keys_of_a_code_are_reported_and_heard_by_nobody():
    desk = Desk("*1", "##")
    desk.press("*1")
    assert desk.codes == ["*1"]
    assert len(desk.reported) == 3
    assert desk.passed == []


def test_withheld_keys_go_on_after_a_second_though_nothing_happens():
    desk = Desk("*1")
    desk.press("*")
    desk.wait(0.99)
    assert desk.heard == ""
    desk.wait(0.01)
    assert desk.heard == "*"


def test_a_wake_up_call_for_a_key_that_went_on_earlier_does_nothing():
    desk = Desk("*1")
    desk.press("*5")
    desk.wait(0.5)
    desk.press("*")
    desk.wait(0.6)
    assert desk.heard == "*5"
    desk.wait(0.5)
    assert desk.heard == "*5*"


def test_only_what_nobody_heard_is_passed_on_when_a_code_breaks_off():
    desk = Desk("*12")
    desk.press("*")
    desk.press("1", "inband", heard=True)
    desk.press("9")
    assert desk.passed == [("*", "rfc4733"), ("9", "rfc4733")]


@pytest.mark.parametrize(("digit", "waits"), [("*", True), ("#", True), ("1", False)])
def test_only_a_key_that_may_begin_a_code_waits(digit: str, waits: bool):
    assert Desk("*1", "##").keypad.withholds(digit) is waits


def test_every_key_waits_behind_one_that_waits():
    desk = Desk("*1")
    desk.press("*")
    assert desk.keypad.withholds("9")


def test_a_code_of_one_key_waits_too():
    desk = Desk("1")
    assert desk.keypad.withholds("1")
    desk.press("1")
    assert desk.codes == ["1"]


def test_new_codes_decide_about_what_is_withheld():
    desk = Desk("*1", "*12")
    desk.press("*1")
    desk.keypad.set_codes(["##"], desk.now)
    assert desk.codes == ["*1"]
    desk.press("*")
    assert desk.heard == "*"


def test_a_key_that_comes_as_an_event_and_as_a_tone_is_one_key():
    desk = Desk()
    for digit in "115":
        desk.press(digit)
        desk.wait(0.1)
        desk.press(digit, "inband")
        desk.wait(0.1)
    assert desk.heard == "115"
    desk.wait(0.5)
    desk.press("5", "inband")
    assert desk.heard == "1155"


def test_a_key_that_goes_down_is_told_before_it_is_over():
    desk = Desk()
    desk.keypad.go_down()
    assert desk.downs == [100.0]
    assert desk.reported == []


def test_at_the_end_all_that_is_withheld_goes_on():
    desk = Desk("*1")
    desk.press("*")
    desk.keypad.finish(desk.now)
    assert desk.heard == "*"
    desk.wait(2)
    assert desk.heard == "*"


@given(st.lists(st.tuples(st.sampled_from("12*#"), st.booleans(), st.floats(0, 1.2)), max_size=12))
def test_whatever_is_pressed_is_heard_once_or_is_a_code(presses):
    desk = Desk("*1", "*12", "##")
    for digit, heard, pause in presses:
        desk.press(digit, heard=heard)
        desk.wait(pause)
    desk.wait(5)
    keyed = [(digit, heard) for digit, heard, _ in presses]
    in_codes = sum(map(len, desk.codes))
    assert len([e for e in desk.reported if isinstance(e, DigitHeard)]) == len(keyed)
    assert len(desk.passed) <= len([digit for digit, heard in keyed if not heard])
    if not any(heard for _, heard in keyed):
        assert len(desk.passed) + in_codes == len(keyed)

"""How many calls go abroad, at once and within an hour."""

from __future__ import annotations

from pbx.call.toll_fraud import HOUR, TollFraud, TollFraudLimits

LIMITS = TollFraudLimits(calls=2, hourly=4, office_calls=3, office_hourly=6)


def begin(guard: TollFraud, by: str | None, leg: int, now: float = 0.0) -> str | None:
    """Let a call go abroad where it may; return why it may not."""
    why_not = guard.refusal(by, now)
    if why_not is None:
        guard.count(by, now)
        guard.begun(leg, by)
    return why_not


def test_an_extension_has_so_many_at_once() -> None:
    guard = TollFraud(LIMITS)
    assert [begin(guard, "101", leg) for leg in range(2)] == [None, None]
    assert begin(guard, "101", 2) == "it has 2 calls abroad at once"
    assert begin(guard, "102", 3) is None
    guard.ended(0)
    assert guard.refusal("101", 0.0) is None


def test_an_extension_has_so_many_within_an_hour() -> None:
    guard = TollFraud(LIMITS)
    for leg in range(4):
        assert begin(guard, "101", leg, float(leg)) is None
        guard.ended(leg)
    assert begin(guard, "101", 9, 10.0) == "it made 4 calls abroad within an hour"
    assert begin(guard, "101", 9, HOUR) is None, "the first is an hour ago"


def test_the_office_has_so_many_whoever_calls() -> None:
    guard = TollFraud(LIMITS)
    for leg, by in enumerate(("101", "102", None)):
        assert begin(guard, by, leg) is None
    assert begin(guard, "103", 3) == "the office has 3 calls abroad at once"
    assert begin(guard, None, 3) == "the office has 3 calls abroad at once"
    for leg in range(3):
        guard.ended(leg)
    for leg, by in enumerate(("103", "104", "105"), 10):
        assert begin(guard, by, leg) is None
        guard.ended(leg)
    assert begin(guard, "106", 20) == "the office made 6 calls abroad within an hour"


def test_the_dialplans_own_calls_count_for_the_office_alone() -> None:
    guard = TollFraud(LIMITS)
    for leg in range(3):
        assert begin(guard, None, leg) is None
    assert begin(guard, None, 3) is not None


def test_none_at_all_may_be_the_limit() -> None:
    assert TollFraud(TollFraudLimits(office_calls=0)).refusal("101", 0.0) is not None


def test_what_did_not_lead_abroad_may_end_too() -> None:
    TollFraud(LIMITS).ended("a leg")

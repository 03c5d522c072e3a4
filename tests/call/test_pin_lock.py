"""Wrong PINs: how many lock a room to a caller, for how long, and what is remembered."""

from __future__ import annotations

from pbx.call.pin_lock import LOCKED_FOR, MAX_CALLERS, WRONG, PinLock, Who

MALLORY: Who = ("7001", "", "103")


def guessed(lock: PinLock, times: int, *, who: Who = MALLORY, now: float = 0.0) -> None:
    """Let a caller key so many wrong PINs, one a second."""
    for second in range(times):
        lock.wrong(who, now + second)


def test_the_tenth_wrong_pin_locks_one_room_to_one_caller() -> None:
    lock = PinLock()
    guessed(lock, WRONG - 1)
    assert not lock.locked(MALLORY, 20.0)
    guessed(lock, 1, now=20.0)
    assert lock.locked(MALLORY, 20.0)
    assert not lock.locked(("7002", "", "103"), 20.0)
    assert not lock.locked(("7001", "", "101"), 20.0)
    assert not lock.locked(("7001", "carrier", "103"), 20.0)


def test_all_are_forgotten_a_quarter_of_an_hour_after_the_last() -> None:
    lock = PinLock()
    guessed(lock, WRONG)
    last = WRONG - 1
    assert lock.locked(MALLORY, last + LOCKED_FOR - 1)
    assert not lock.locked(MALLORY, last + LOCKED_FOR)
    assert len(lock) == 0
    guessed(lock, WRONG - 1, now=5000.0)
    assert not lock.locked(MALLORY, 5010.0)


def test_the_table_forgets_whoever_was_wrong_longest_ago() -> None:
    lock = PinLock()
    guessed(lock, WRONG)
    for caller in range(MAX_CALLERS):
        lock.wrong(("7001", "carrier", str(caller)), 100.0)
    assert len(lock) == MAX_CALLERS
    assert not lock.locked(MALLORY, 100.0)

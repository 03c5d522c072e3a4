"""The guard keeps guessers out, and nobody else."""

from __future__ import annotations

import pytest

from pbx.sip.guard import (
    FAILURES,
    FIRST_BAN,
    LONGEST_BAN,
    LONGEST_DELAY,
    PROBATION,
    WINDOW,
    Ban,
    Guard,
    source_key,
)

ATTACKER = "192.0.2.66"


def fail(
    guard: Guard, times: int, now: float, source: str = ATTACKER, user: str = "101"
) -> Ban | None:
    ban = None
    for _ in range(times):
        ban = guard.failed(source, user, now)
    return ban


def test_the_tenth_failure_bans_its_source_alone() -> None:
    guard = Guard()
    assert fail(guard, FAILURES - 1, 0.0) is None
    assert not guard.dropped(ATTACKER, 0.0)
    assert guard.failed(ATTACKER, "102", 1.0) == Ban(ATTACKER, 1.0, 1.0 + FIRST_BAN, 1)
    assert guard.dropped(ATTACKER, 1.0)
    assert not guard.dropped("192.0.2.1", 1.0)


def test_failures_older_than_the_window_do_not_count() -> None:
    guard = Guard()
    fail(guard, FAILURES - 1, 0.0)
    assert guard.failed(ATTACKER, "101", WINDOW) is None
    assert fail(guard, FAILURES - 2, WINDOW) is None
    assert guard.failed(ATTACKER, "101", WINDOW) is not None


def test_a_ban_ends_and_the_next_one_lasts_twice_as_long() -> None:
    guard = Guard()
    now = 0.0
    for count in range(1, 5):
        ban = fail(guard, FAILURES, now)
        assert ban == Ban(ATTACKER, now, now + FIRST_BAN * 2 ** (count - 1), count)
        assert guard.dropped(ATTACKER, ban.until - 0.1)
        now = ban.until
        assert not guard.dropped(ATTACKER, now)


def test_a_ban_never_outlasts_a_week() -> None:
    guard = Guard()
    now = 0.0
    for _ in range(50):
        ban = fail(guard, FAILURES, now)
        assert ban is not None
        now = ban.until
    assert ban.until - ban.since == LONGEST_BAN


def test_a_source_that_kept_quiet_for_a_day_starts_anew() -> None:
    guard = Guard()
    first = fail(guard, FAILURES, 0.0)
    assert first is not None
    again = fail(guard, FAILURES, first.until + PROBATION)
    assert again is not None
    assert again.count == 1


def test_an_exempt_source_is_neither_counted_nor_dropped() -> None:
    registered = {ATTACKER}
    guard = Guard(exempt=registered.__contains__)
    assert fail(guard, 3 * FAILURES, 0.0) is None
    assert not guard.dropped(ATTACKER, 0.0)
    registered.clear()
    assert guard.failed(ATTACKER, "101", 1.0) is None


def test_a_ban_is_suspended_once_its_source_becomes_exempt() -> None:
    trunks: set[str] = set()
    guard = Guard(exempt=trunks.__contains__)
    fail(guard, FAILURES, 0.0)
    trunks.add(ATTACKER)
    assert not guard.dropped(ATTACKER, 1.0)


def test_the_right_password_forgives_mistyped_ones_of_that_user_only() -> None:
    guard = Guard()
    fail(guard, 6, 0.0, user="101")
    fail(guard, 3, 0.0, user="102")
    guard.succeeded(ATTACKER, "101", 1.0)
    assert fail(guard, 6, 2.0, user="103") is None
    assert guard.failed(ATTACKER, "103", 2.0) is not None


def test_a_success_without_failures_changes_nothing() -> None:
    guard = Guard()
    guard.succeeded(ATTACKER, "101", 0.0)
    guard.failed(ATTACKER, "101", 0.0)
    guard.succeeded(ATTACKER, "101", 0.0)
    assert guard.snapshot(0.0) == {"bans": 0, "sources": 0, "users": 1}


def test_attempts_on_a_guessed_user_are_slowed_from_anywhere() -> None:
    guard = Guard()
    for host in range(FAILURES - 1):
        guard.failed(f"198.51.100.{host}", "101", 0.0)
    assert guard.delay("101", False, 0.0) == 0.0
    delays = []
    for host in range(6):
        guard.failed(f"203.0.113.{host}", "101", 0.0)
        delays.append(guard.delay("101", False, 0.0))
    assert delays == [0.5, 1.0, 2.0, 3.0, 3.0, LONGEST_DELAY]
    assert guard.delay("102", False, 0.0) == 0.0
    assert guard.delay("101", False, WINDOW) == 0.0


def test_a_registered_phone_of_a_guessed_user_is_not_slowed() -> None:
    guard = Guard()
    fail(guard, 20, 0.0)
    assert guard.delay("101", True, 0.0) == 0.0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("no:address", "no:address"),
        ("", ""),
    ],
)
def test_a_source_is_an_ipv4_address_or_an_ipv6_64(address: str, source: str) -> None:
    assert source_key(address) == source


def test_an_ipv6_host_cannot_escape_within_its_64() -> None:
    guard = Guard()
    for host in range(FAILURES):
        guard.failed(f"2001:db8:5:6::{host:x}", "101", 0.0)
    assert guard.dropped("2001:db8:5:6:a:b:c:d", 1.0)
    assert not guard.dropped("2001:db8:5:7::1", 1.0)


def test_unban_lifts_a_ban_and_its_history() -> None:
    guard = Guard()
    fail(guard, FAILURES, 0.0)
    assert guard.unban(ATTACKER, 1.0)
    assert not guard.dropped(ATTACKER, 1.0)
    assert not guard.unban(ATTACKER, 1.0)
    again = fail(guard, FAILURES, 2.0)
    assert again is not None
    assert again.count == 1


def test_unban_takes_a_source_as_it_is_listed() -> None:
    guard = Guard()
    fail(guard, FAILURES, 0.0, source="2001:db8::1")
    (ban,) = guard.bans(0.0)
    assert guard.unban(ban.source, 0.0)


def test_bans_lists_those_in_force_in_the_order_of_their_end() -> None:
    guard = Guard()
    fail(guard, FAILURES, 100.0, source="192.0.2.2")
    fail(guard, FAILURES, 0.0, source="192.0.2.1")
    assert [ban.source for ban in guard.bans(200.0)] == ["192.0.2.1", "192.0.2.2"]
    assert [ban.source for ban in guard.bans(FIRST_BAN + 50.0)] == ["192.0.2.2"]


def test_many_sources_and_users_do_not_fill_the_memory() -> None:
    guard = Guard(max_sources=100, max_users=50)
    for number in range(5_000):
        source = f"10.{number >> 8 & 255}.{number & 255}.1"
        fail(guard, FAILURES if number % 2 else 1, float(number), source, f"{number}" * 99)
    snapshot = guard.snapshot(5_000.0)
    assert snapshot["sources"] <= 100
    assert snapshot["bans"] <= 100
    assert snapshot["users"] <= 50
    assert guard.dropped("10.19.135.1", 5_000.0)

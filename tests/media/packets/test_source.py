import pytest

from pbx.media.packets.source import ENOUGH, LockState, SourceLock, Verdict, canonical_host

PHONE = ("192.0.2.10", 4000)
OTHER_PORT = ("192.0.2.10", 4002)
NAT = ("198.51.100.7", 31000)
STRANGER = ("203.0.113.66", 4000)


def offer(lock: SourceLock, source, count: int = ENOUGH, *, ssrc: int = 7, first: int = 100):
    return [lock.offer(source, ssrc, (first + n) & 0xFFFF) for n in range(count)]


def opened(remote=PHONE, also_from: str | None = None) -> SourceLock:
    lock = SourceLock()
    lock.expect(remote, also_from, relearn=False)
    return lock


def locked(source=PHONE, **expectation) -> SourceLock:
    lock = opened(**expectation)
    offer(lock, source)
    assert lock.locked == source
    return lock


def test_the_described_address_counts_at_once_and_locks_with_three_packets():
    lock = opened()
    assert offer(lock, PHONE) == [Verdict.COUNTS, Verdict.COUNTS, Verdict.LOCKS]
    assert (lock.state, lock.locked, lock.ssrc) == (LockState.LOCKED, PHONE, 7)


def test_the_signalling_address_counts_from_the_third_packet_on():
    lock = opened(also_from=NAT[0])
    assert offer(lock, NAT) == [Verdict.IGNORED, Verdict.IGNORED, Verdict.LOCKS]
    assert lock.target == NAT


def test_nobody_else_is_ever_learned():
    lock = opened(also_from=NAT[0])
    assert set(offer(lock, STRANGER, 100)) == {Verdict.IGNORED}
    assert lock.state is LockState.OPEN


def test_another_port_of_the_described_address_is_not_learned():
    lock = opened(also_from=PHONE[0])
    assert set(offer(lock, OTHER_PORT, 100)) == {Verdict.IGNORED}


def test_before_any_description_nobody_counts():
    assert set(offer(SourceLock(), PHONE, 10)) == {Verdict.IGNORED}


def test_packets_out_of_sequence_do_not_lock():
    lock = opened(also_from=NAT[0])
    assert {lock.offer(NAT, 7, n) for n in range(0, 60, 2)} == {Verdict.IGNORED}


def test_packets_of_changing_ssrcs_do_not_lock():
    lock = opened(also_from=NAT[0])
    assert {lock.offer(NAT, n, n) for n in range(60)} == {Verdict.IGNORED}


def test_somebody_trying_ports_does_not_keep_the_phone_out():
    lock = opened(also_from=NAT[0])
    for n in range(ENOUGH - 1):
        lock.offer(NAT, 7, n)
        for port in range(5):
            lock.offer((NAT[0], 10 + port), port, n * 7)
    assert lock.offer(NAT, 7, ENOUGH - 1) is Verdict.LOCKS


def test_three_packets_may_wrap():
    assert offer(opened(), PHONE, first=0xFFFF)[-1] is Verdict.LOCKS


def test_a_locked_source_is_the_only_one():
    lock = locked()
    assert lock.offer(PHONE, 7, 200) is Verdict.COUNTS
    assert set(offer(lock, OTHER_PORT, 10)) == {Verdict.IGNORED}
    assert set(offer(lock, STRANGER, 10)) == {Verdict.IGNORED}


def test_after_silence_another_port_of_the_same_address_takes_over():
    lock = locked()
    lock.silent()
    assert lock.state is LockState.STALE
    assert offer(lock, OTHER_PORT) == [Verdict.IGNORED, Verdict.IGNORED, Verdict.LOCKS]
    assert lock.target == OTHER_PORT


def test_after_silence_a_stranger_still_does_not():
    lock = locked(NAT, also_from=NAT[0])
    lock.silent()
    assert set(offer(lock, STRANGER, 10) + offer(lock, PHONE, 10)) == {Verdict.IGNORED}


def test_after_silence_the_locked_source_counts_at_once():
    lock = locked()
    lock.silent()
    assert lock.offer(PHONE, 9, 5) is Verdict.LOCKS
    assert lock.state is LockState.LOCKED


def test_a_refresh_keeps_what_the_source_said_audible():
    lock = locked(NAT, also_from=NAT[0])
    assert lock.expect(PHONE, NAT[0], relearn=True)
    assert lock.target == NAT
    assert offer(lock, NAT) == [Verdict.COUNTS, Verdict.COUNTS, Verdict.LOCKS]


def test_a_moved_description_gives_the_lock_up_unasked():
    lock = locked()
    assert lock.expect(OTHER_PORT, None, relearn=False)
    assert offer(lock, PHONE)[-1] is Verdict.IGNORED
    assert offer(lock, OTHER_PORT)[-1] is Verdict.LOCKS


def test_an_unchanged_description_keeps_the_lock():
    lock = locked()
    assert not lock.expect(PHONE, None, relearn=False)
    assert lock.state is LockState.LOCKED


def test_an_address_that_the_new_description_does_not_allow_is_forgotten():
    lock = locked(NAT, also_from=NAT[0])
    lock.expect(PHONE, "198.51.100.99", relearn=True)
    assert set(offer(lock, NAT, 10)) == {Verdict.IGNORED}


@pytest.mark.parametrize("nowhere", [None, ("0.0.0.0", 4000), (PHONE[0], 0)])
def test_without_an_address_nothing_is_sent_and_the_lock_stays(nowhere):
    lock = locked()
    lock.expect(nowhere, None, relearn=False)
    assert lock.target is None
    assert lock.state is LockState.LOCKED
    lock.expect(PHONE, None, relearn=False)
    assert lock.target == PHONE
    assert lock.state is LockState.LOCKED


def test_rtcp_may_come_from_the_locked_ip_alone():
    lock = opened(also_from=NAT[0])
    assert lock.allows_host(NAT[0])
    assert lock.allows_host(PHONE[0])
    offer(lock, NAT)
    assert not lock.allows_host(PHONE[0])
    assert lock.allows_host(NAT[0])


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("0.0.0.0", None),
        ("::", None),
        ("224.0.0.1", None),
        ("255.255.255.255", None),
        ("ff02::1", None),
        ("phone.example", None),
    ],
)
def test_only_unicast_addresses_are_sent_to(written: str, canonical: str | None):
    assert canonical_host(written) == canonical


def moved(lock: SourceLock) -> SourceLock:
    """Return a lock that goes on where this one is, as it does in another worker."""
    elsewhere = SourceLock()
    elsewhere.remember(lock.memory())
    return elsewhere


def test_a_lock_goes_on_elsewhere():
    lock = moved(locked(NAT, also_from=NAT[0]))
    assert (lock.state, lock.locked, lock.target, lock.ssrc) == (LockState.LOCKED, NAT, NAT, 7)
    assert lock.offer(STRANGER, 7, 103) is Verdict.IGNORED
    assert lock.offer(NAT, 7, 103) is Verdict.COUNTS
    lock.expect(PHONE, NAT[0], relearn=False)
    assert lock.state is LockState.LOCKED


def test_a_stale_lock_goes_on_elsewhere_as_stale():
    lock = locked()
    lock.silent()
    lock = moved(lock)
    assert lock.state is LockState.STALE
    assert offer(lock, OTHER_PORT)[-1] is Verdict.LOCKS


def test_an_open_lock_goes_on_elsewhere_as_open():
    lock = moved(opened(also_from=NAT[0]))
    assert (lock.state, lock.target) == (LockState.OPEN, PHONE)
    assert offer(lock, NAT)[-1] is Verdict.LOCKS

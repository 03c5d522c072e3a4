"""Where a leg's RTP may come from: the source lock, pure.

A stranger who sends to a leg's port must reach nobody (architecture §7). So:

    OPEN    the description's address and port count at once. Where its signalling came from another
            IP, any port of that IP is heard out too, but does not count yet. Nobody else is ever
            learned. Three packets in sequence with one SSRC from one of them lock it →
    LOCKED  this address and port alone; the caller connects its socket, so that the kernel drops
            all others. No packet for 2 s →
    STALE   the locked source counts at once and locks again; another port of its IP may take its
            place with three packets in sequence.

`expect` with `relearn`, or with another address, leads from anywhere to OPEN. A source that was
locked before and that the new description still allows goes on counting at once, so that a session
refresh makes no gap.
"""

from __future__ import annotations

import ipaddress
from enum import Enum, auto
from functools import lru_cache
from typing import Final

import msgspec

from pbx.media.terms import Ssrc, Word16

Address = tuple[str, Word16]
"""IP address in canonical text form, and port."""

ENOUGH: Final = 3
"""Packets in sequence with one SSRC that lock a source."""

SILENCE: Final = 2.0
"""Seconds without a packet after which another port of the locked IP may be learned."""

MAX_CANDIDATES: Final = 8
"""Sources heard out at a time; more only come when somebody tries ports."""


class LockState(Enum):
    """How far the source of a leg is known."""

    OPEN = auto()
    LOCKED = auto()
    STALE = auto()


class Verdict(Enum):
    """What becomes of a packet."""

    IGNORED = auto()
    """It is not from this leg's remote, or that is not clear yet."""
    COUNTS = auto()
    """It is the remote's."""
    LOCKS = auto()
    """It is the remote's, and its source is locked from now on."""


@lru_cache(maxsize=4096)
def canonical_host(host: str) -> str | None:
    """Return a unicast IP address in the form that the socket layer uses, or None.

    None also for 0.0.0.0, `::`, multicast and broadcast: nothing is ever sent there.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        return None
    return str(address)


class SourceState(msgspec.Struct, frozen=True, array_like=True):
    """All that one `SourceLock` knows but for the sources that it is hearing out."""

    expected: Address | None
    also_from: str | None
    described: Address | None
    previous: Address | None
    locked: Address | None
    ssrc: Ssrc
    stale: bool


class SourceLock:
    """One leg's source. `locked` is the address that counts, None while OPEN."""

    __slots__ = (
        "_also_from",
        "_candidates",
        "_described",
        "_previous",
        "expected",
        "locked",
        "ssrc",
        "state",
    )

    def __init__(self) -> None:
        self.state = LockState.OPEN
        self.expected: Address | None = None
        """The description's address, in canonical form; None while there is none to send to."""
        self.locked: Address | None = None
        self.ssrc = -1
        """The SSRC that locked the source."""
        self._also_from: str | None = None
        self._described: Address | None = None
        self._previous: Address | None = None
        self._candidates: dict[tuple[Address, int], tuple[int, int]] = {}

    def expect(self, remote: Address | None, also_from: str | None, *, relearn: bool) -> bool:
        """Take over what the description says; return whether a lock was given up by it.

        `remote` None, port 0, or no unicast IP address: nothing is sent until it is known (again).
        """
        host = canonical_host(remote[0]) if remote is not None and remote[1] else None
        self.expected = (host, remote[1]) if host is not None and remote is not None else None
        signalling = canonical_host(also_from) if also_from is not None else None
        self._also_from = None if signalling == host else signalling
        moved = self.expected is not None and self.expected != self._described
        if moved:
            self._described = self.expected
        if not (relearn or moved):
            return False
        given_up = self.state is not LockState.OPEN
        before = self.locked or self._previous
        self._previous = before if before and not moved and self._allows(before) else None
        self.state = LockState.OPEN
        self.locked = None
        self._candidates.clear()
        return given_up

    def offer(self, source: Address, ssrc: int, sequence: int) -> Verdict:
        """Judge a packet that came while the socket is not connected."""
        if self.state is LockState.LOCKED:
            return Verdict.COUNTS if source == self.locked else Verdict.IGNORED
        if self.state is LockState.STALE:
            return self._offer_stale(source, ssrc, sequence)
        trusted = source in (self.expected, self._previous)
        if not trusted and source[0] != self._also_from:
            return Verdict.IGNORED
        if self._enough(source, ssrc, sequence):
            return Verdict.LOCKS
        return Verdict.COUNTS if trusted else Verdict.IGNORED

    def silent(self) -> None:
        """Take note that no packet came from the locked source for SILENCE seconds."""
        if self.state is LockState.LOCKED:
            self.state = LockState.STALE
            self._candidates.clear()

    def memory(self) -> SourceState:
        """Return what is known, for `remember` elsewhere."""
        return SourceState(
            expected=self.expected,
            also_from=self._also_from,
            described=self._described,
            previous=self._previous,
            locked=self.locked,
            ssrc=self.ssrc,
            stale=self.state is LockState.STALE,
        )

    def remember(self, state: SourceState) -> None:
        """Go on where another lock was."""
        self.expected = state.expected
        self._also_from = state.also_from
        self._described = state.described
        self._previous = state.previous
        self.locked = state.locked
        self.ssrc = state.ssrc
        if state.locked is None:
            self.state = LockState.OPEN
        else:
            self.state = LockState.STALE if state.stale else LockState.LOCKED
        self._candidates.clear()

    @property
    def target(self) -> Address | None:
        """Return where to send: the locked source, before that the description's address."""
        if self.expected is None:
            return None
        return self.locked or self._previous or self.expected

    def allows_host(self, host: str) -> bool:
        """Return whether RTCP from this IP may be the remote's."""
        if self.locked is not None:
            return host == self.locked[0]
        return self._allows((host, 0))

    def _allows(self, source: Address) -> bool:
        return source[0] == self._also_from or (
            self.expected is not None and source[0] == self.expected[0]
        )

    def _offer_stale(self, source: Address, ssrc: int, sequence: int) -> Verdict:
        if self.locked is None or source[0] != self.locked[0]:
            return Verdict.IGNORED
        if source == self.locked:
            self._lock(source, ssrc)
            return Verdict.LOCKS
        return Verdict.LOCKS if self._enough(source, ssrc, sequence) else Verdict.IGNORED

    def _enough(self, source: Address, ssrc: int, sequence: int) -> bool:
        """Count packets in sequence from one source with one SSRC; lock at ENOUGH of them."""
        key = (source, ssrc)
        expected, count = self._candidates.pop(key, (sequence, 0))
        count = count + 1 if sequence == expected else 1
        if count >= ENOUGH:
            self._lock(source, ssrc)
            return True
        while len(self._candidates) >= MAX_CANDIDATES:
            del self._candidates[next(iter(self._candidates))]
        self._candidates[key] = ((sequence + 1) & 0xFFFF, count)
        return False

    def _lock(self, source: Address, ssrc: int) -> None:
        self.state = LockState.LOCKED
        self.locked = source
        self.ssrc = ssrc
        self._previous = None
        self._candidates.clear()

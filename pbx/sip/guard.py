"""Who is kept out for guessing passwords, and for how long.

Only answers to our digest challenges count, never a request without credentials. Ten failures from
one source within ten minutes ban it: everything it sends is dropped before parsing, for an hour the
first time and twice as long each time again. Exempt sources (trunks, and phones with a live
binding) are never banned, so an office behind one NAT cannot lock itself out. Ten failures on one
user slow further attempts on that user down, again not those of its registered phones: whoever
guesses from many addresses gains nothing, and nobody can lock a user out from afar.

A source is an IPv4 address or an IPv6 /64, since one host commands a whole /64. Both tables are
bounded and forget what is oldest. Nothing here reads a clock; `now` is in seconds and never jumps.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

FAILURES = 10
"""Failures within `WINDOW` that ban a source or slow a user down."""

WINDOW = 600.0
"""Seconds for which a failure counts."""

FIRST_BAN = 3600.0
"""Seconds of a source's first ban; each further one lasts twice as long."""

LONGEST_BAN = 7 * 86400.0
"""Seconds at which doubling ends: addresses change hands."""

PROBATION = 86400.0
"""Seconds after a ban's end in which the next one counts as a repetition."""

FIRST_DELAY = 0.5
"""Seconds that the first slowed attempt waits; each further failure doubles it."""

LONGEST_DELAY = 3.0
"""Seconds at most, so that the answer still comes long before the phone gives up (64·T1)."""

MAX_SOURCES = 10_000
MAX_USERS = 10_000
MAX_USER_LENGTH = 64
"""Bounds of the tables; longer user names are cut, as they are an attacker's alone."""

_REMEMBERED = FAILURES + 3  # enough to tell the longest delay


def source_key(address: str) -> str:
    """Return what `address` counts as: itself for IPv4, its /64 for IPv6."""
    return _ipv6_key(address) if ":" in address else address


@lru_cache(maxsize=4096)
def _ipv6_key(address: str) -> str:
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0].partition("/")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))


@dataclass(frozen=True, slots=True)
class Ban:
    """A source that is dropped from `since` until `until`; `count` is 1 for its first ban."""

    source: str
    since: float
    until: float
    count: int


@dataclass(frozen=True, slots=True)
class _Failure:
    at: float
    user: str


class Guard:
    """Counts failed authentications and answers whether a source is heard at all."""

    def __init__(
        self,
        *,
        exempt: Callable[[str], bool] = lambda source: False,
        max_sources: int = MAX_SOURCES,
        max_users: int = MAX_USERS,
    ) -> None:
        """Make a guard without failures or bans.

        `exempt` tells whether a source, as `source_key` writes it, may never be dropped.
        """
        self._exempt = exempt
        self._max_sources = max_sources
        self._max_users = max_users
        self._sources: OrderedDict[str, list[_Failure]] = OrderedDict()
        self._users: OrderedDict[str, list[float]] = OrderedDict()
        self._bans: OrderedDict[str, Ban] = OrderedDict()  # those on probation included

    def dropped(self, address: str, now: float) -> bool:
        """Tell whether what comes from this IP address is to be ignored unread."""
        if not self._bans:
            return False
        source = source_key(address)
        ban = self._bans.get(source)
        return ban is not None and now < ban.until and not self._exempt(source)

    def failed(self, address: str, user: str, now: float) -> Ban | None:
        """Count a failed authentication as `user`; return the ban if this one caused it."""
        self._count_user(user[:MAX_USER_LENGTH], now)
        source = source_key(address)
        if self._exempt(source):
            return None
        failures = [f for f in self._sources.pop(source, ()) if now - f.at < WINDOW]
        failures.append(_Failure(now, user[:MAX_USER_LENGTH]))
        if len(failures) >= FAILURES:
            return self._ban(source, now)
        self._sources[source] = failures
        if len(self._sources) > self._max_sources:
            self._sources.popitem(last=False)
        return None

    def succeeded(self, address: str, user: str, now: float) -> None:
        """Forget the failures of this source as this user: its owner had mistyped.

        Its failures as others stay, so that one known password does not buy guesses at the rest.
        """
        source = source_key(address)
        failures = self._sources.get(source)
        if failures is None:
            return
        left = [f for f in failures if f.user != user[:MAX_USER_LENGTH] and now - f.at < WINDOW]
        if left:
            self._sources[source] = left
        else:
            del self._sources[source]

    def delay(self, user: str, has_binding: bool, now: float) -> float:
        """Return how many seconds to hold back the answer to a failed attempt, 3 at most.

        `has_binding` says that the attempt comes over a flow on which this user is registered.
        """
        if has_binding:
            return 0.0
        failures = self._users.get(user[:MAX_USER_LENGTH], ())
        excess = sum(1 for at in failures if now - at < WINDOW) - FAILURES
        return min(LONGEST_DELAY, FIRST_DELAY * 2.0**excess) if excess >= 0 else 0.0

    def bans(self, now: float) -> list[Ban]:
        """Return the bans in force, the one that ends first in front."""
        live = (ban for ban in self._bans.values() if now < ban.until)
        return sorted(live, key=lambda ban: (ban.until, ban.source))

    def unban(self, address: str, now: float) -> bool:
        """Lift the ban of an address or source, past included; False where none is in force."""
        source = source_key(address)
        self._sources.pop(source, None)
        ban = self._bans.pop(source, None)
        return ban is not None and now < ban.until

    def snapshot(self, now: float) -> dict[str, int]:
        """Return how many sources are banned, and how many sources and users are watched."""
        return {
            "bans": len(self.bans(now)),
            "sources": len(self._sources),
            "users": len(self._users),
        }

    def _ban(self, source: str, now: float) -> Ban:
        previous = self._bans.pop(source, None)
        repeated = previous is not None and now < previous.until + PROBATION
        count = previous.count + 1 if previous is not None and repeated else 1
        duration = min(LONGEST_BAN, FIRST_BAN * 2.0 ** min(count - 1, 32))
        ban = self._bans[source] = Ban(source, now, now + duration, count)
        if len(self._bans) > self._max_sources:
            self._bans.popitem(last=False)
        return ban

    def _count_user(self, user: str, now: float) -> None:
        failures = [at for at in self._users.pop(user, ()) if now - at < WINDOW]
        failures.append(now)
        self._users[user] = failures[-_REMEMBERED:]
        if len(self._users) > self._max_users:
            self._users.popitem(last=False)

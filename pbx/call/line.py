"""One line to a carrier at work: its registration, whether it answers, and how much it carries.

No clock and no network here: `lines.py` sends what is due and tells what came of it. A line that
did not answer the last OPTIONS, or whose call failed for want of an answer a moment ago, is not
refused: it is tried after the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final, Protocol

from pbx.errors import MessageError
from pbx.sip.account import Account
from pbx.sip.flow import Address, Flow
from pbx.sip.headers import Uri
from pbx.sip.register_client import RegisterClient

PROBE_EVERY: Final = 30.0
"""Seconds between two OPTIONS."""

SUSPECT_FOR: Final = 60.0
"""Seconds for which a line is tried last after a call by it failed for want of an answer."""

MINUTE: Final = 60.0


class TrunkEntry(Protocol):
    """What the directory says of a line."""

    @property
    def name(self) -> str:
        """Return the name of the line."""

    @property
    def server(self) -> str:
        """Return the carrier's SIP URI."""

    @property
    def username(self) -> str | None:
        """Return the user that the carrier gave us."""

    @property
    def password(self) -> str | None:
        """Return the password that is proved to the carrier."""

    @property
    def register(self) -> bool:
        """Tell whether we register with the carrier."""

    @property
    def token(self) -> str:
        """Return the user part of our Contact: random, hexadecimal, the same after a restart."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the numbers that the carrier gave us; the first one is shown by default."""

    @property
    def max_calls(self) -> int | None:
        """Return how many calls it may carry at once, in and out; None means no limit."""

    @property
    def per_minute(self) -> int | None:
        """Return how many calls may go out by it within a minute; None means no limit."""

    @property
    def srtp(self) -> str:
        """Return whether its speech is encrypted: required, optional or off."""


class Line:
    """One line. Raises MessageError for a server that is no SIP URI."""

    def __init__(
        self, entry: TrunkEntry, *, call_id: str, realm_refused: Callable[[str], None]
    ) -> None:
        self.entry = entry
        self.server = Uri.parse(entry.server)
        if not self.server.is_sip:
            raise MessageError(416, "no_sip_uri")
        self.flows: tuple[Flow, ...] = ()
        self.addresses: set[Address] = set()
        self.account: Account | None = None
        if entry.username is not None and entry.password is not None:
            self.account = Account(
                entry.username, entry.password, addresses=self.addresses, refused=realm_refused
            )
        self.client = RegisterClient(entry.token, call_id) if entry.register else None
        self.answers = True
        """Whether it answered the last OPTIONS."""
        self.error: str | None = None
        """What went wrong last, until something went right."""
        self.forgotten = False
        """Whether it was removed, or another stands in its place: nobody is told of it any more."""
        self.busy = False
        """Whether a name is being resolved, so that one question is asked at a time."""
        self.probe_at = 0.0
        self.round_trip_ms: float | None = None
        self._suspect_until = 0.0
        self._legs: set[Hashable] = set()
        self._out: deque[float] = deque()

    @property
    def name(self) -> str:
        """Return the name of the line."""
        return self.entry.name

    @property
    def calls(self) -> int:
        """Return how many calls it carries now, in and out."""
        return len(self._legs)

    def found(self, flows: tuple[Flow, ...]) -> None:
        """Take where its server is now; a name that has no address keeps the old ones."""
        if flows:
            self.flows = flows
            self.addresses.clear()
            self.addresses.update(flow.remote for flow in flows)

    def is_registered(self, now: float) -> bool | None:
        """Tell whether the carrier has our registration; None where none is wanted."""
        return None if self.client is None else self.client.is_registered(now)

    def is_reachable(self, now: float) -> bool:
        """Tell whether it is worth trying before others."""
        return self.answers and now >= self._suspect_until and self.is_registered(now) is not False

    @property
    def is_full(self) -> bool:
        """Tell whether it carries as many calls as it may."""
        most = self.entry.max_calls
        return most is not None and len(self._legs) >= most

    def has_room(self, now: float) -> bool:
        """Tell whether another call may go out by it."""
        while self._out and self._out[0] <= now - MINUTE:
            self._out.popleft()
        rate = self.entry.per_minute
        return not self.is_full and (rate is None or len(self._out) < rate)

    def took(self, leg: Hashable) -> None:
        """Note that it carries a leg."""
        self._legs.add(leg)

    def went_out(self, now: float) -> None:
        """Count a call towards the calls of this minute."""
        self._out.append(now)

    def stand_in_for(self, line: Line) -> None:
        """Take the place of a line whose calls go on, and count for the limits."""
        self._legs, self._out = line._legs, line._out

    def let_go(self, leg: Hashable) -> None:
        """Note that a leg is over."""
        self._legs.discard(leg)

    def suspect(self, error: str, now: float) -> None:
        """Try it last for a while: a call by it failed for want of an answer."""
        self.error = error
        self._suspect_until = now + SUSPECT_FOR

    def answered(self, round_trip_ms: float) -> None:
        """Take the answer to an OPTIONS, whatever it says: somebody is there."""
        self.answers = True
        self.round_trip_ms = round_trip_ms
        self._suspect_until = 0.0
        self.error = None

    def silent(self, error: str) -> None:
        """Note that an OPTIONS had no answer."""
        self.answers = False
        self.round_trip_ms = None
        self.error = error

    @property
    def trouble(self) -> str | None:
        """Return what is wrong with it, as people read it; None where nothing is."""
        registering = None if self.client is None else self.client.error
        return f"registering: {registering}" if registering is not None else self.error

    @property
    def host(self) -> str:
        """Return the carrier's domain: what addresses at it say."""
        return self.server.host

    def to(self, user: str | None) -> Uri:
        """Return the address of `user`, escaped, at the carrier; of the carrier itself for None."""
        return replace(self.server, user=user, password=None, headers="")

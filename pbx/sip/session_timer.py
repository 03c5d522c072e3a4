"""Session timers (RFC 4028): what to ask for, what to grant, when to refresh and when to give up.

Pure negotiation: a request or a response in, header fields and a `SessionInterval` out, and a
`SessionTimer` that keeps both for one dialog. Sending the refresh, and the BYE when none came, is
`invite.py`. The rule of callpbx: the phone refreshes if
it can, because it knows best whether it is still there; if it cannot, there is no session timer,
unless a proxy on the way asked for one, and then we refresh (RFC 4028 §9, Table 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pbx.errors import MessageError
from pbx.sip.deadlines import NEVER
from pbx.sip.grammar import read_seconds
from pbx.sip.message import Message, Request, Response
from pbx.sip.parameters import Parameters

ABSOLUTE_MINIMUM = 90
"""Seconds; no Min-SE may be lower (RFC 4028 §4)."""

Refresher = Literal["uac", "uas"]


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """A Session-Expires value: seconds and who refreshes, seen from the transaction it is in."""

    seconds: int
    refresher: Refresher | None = None

    @classmethod
    def parse(cls, text: str) -> SessionExpires:
        """Read `1800;refresher=uac`; raise MessageError 400 where it is no number."""
        number, semicolon, rest = text.partition(";")
        seconds = read_seconds(number.strip())
        if seconds is None:
            raise MessageError(400, "bad_session_expires", text[:40])
        role = (Parameters.parse(semicolon + rest).get("refresher") or "").lower()
        return cls(seconds, "uac" if role == "uac" else "uas" if role == "uas" else None)

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else f"{self.seconds}"


@dataclass(frozen=True, slots=True)
class SessionInterval:
    """What was agreed on: the interval in seconds, and whether the refresh is ours to send."""

    seconds: int
    ours: bool

    @property
    def refresh_after(self) -> float:
        """Return how long after the last refresh the next one is sent (§10: half the interval)."""
        return self.seconds / 2

    @property
    def expires_after(self) -> float:
        """Return how long after the last refresh BYE is sent (§10: min(32 s, a third) before)."""
        return self.seconds - min(32.0, self.seconds / 3)


def is_too_small(request: Request, min_se: int) -> bool:
    """Tell whether a request is to be refused with 422 (§9): it asks for less than we bear.

    A requester that does not know session timers could not act on a 422 and is not refused. Raises
    MessageError where Session-Expires or Supported cannot be read.
    """
    wanted = _session_expires(request)
    knows_timers = "timer" in request.supported
    return wanted is not None and wanted.seconds < min_se and knows_timers


def grant(
    request: Request, *, seconds: int, min_se: int
) -> tuple[SessionInterval | None, tuple[tuple[str, str], ...]]:
    """Return what a 2xx to `request` agrees on, and the header fields that say so (§9).

    `seconds` is the longest interval that we want. The interval is never below the requester's
    Min-SE.
    """
    wanted = _session_expires(request)
    knows_timers = "timer" in request.supported
    if wanted is None and not knows_timers:
        return None, ()
    floor = max(min_se, read_min_se(request) or 0)
    agreed = max(min(wanted.seconds if wanted else seconds, seconds), floor)
    refresher: Refresher = (wanted and wanted.refresher) or "uac"
    if not knows_timers:
        refresher = "uas"
    fields = [("Session-Expires", str(SessionExpires(agreed, refresher)))]
    if refresher == "uac":
        fields.append(("Require", "timer"))
    return SessionInterval(agreed, ours=refresher == "uas"), tuple(fields)


def granted(response: Response) -> SessionInterval | None:
    """Return what a 2xx to our request agrees on (§7.2); None: no session timer."""
    try:
        agreed = _session_expires(response)
    except MessageError:
        return None
    if agreed is None:
        return None
    return SessionInterval(max(agreed.seconds, ABSOLUTE_MINIMUM), ours=agreed.refresher != "uas")


class SessionTimer:
    """The session timer of one dialog. Times are `NEVER` while none runs.

    `seconds` and `min_se` are what we ask for, in seconds; a remote's 422 may raise both.
    """

    __slots__ = ("_interval", "_min_se", "_seconds", "expire_at", "refresh_at")

    def __init__(self, seconds: int, min_se: int) -> None:
        self._seconds = seconds
        self._min_se = min_se
        self._interval: SessionInterval | None = None
        self.refresh_at = NEVER
        self.expire_at = NEVER

    def wakes_at(self) -> float:
        """Return when a refresh is due from us, or the session ends."""
        return min(self.refresh_at, self.expire_at)

    def ask_first(self) -> tuple[tuple[str, str], ...]:
        """Return the header fields of an INVITE (§7.1): the callee is to refresh."""
        return self._ask("uas")

    def ask(self) -> tuple[tuple[str, str], ...]:
        """Return the header fields of a later request: roles stay as they are (§7.4).

        They are seen from the new request, so what was ours is now the UAC's. Nothing where no
        timer runs.
        """
        return () if self._interval is None else self._ask("uac" if self._interval.ours else "uas")

    def grant(self, request: Request, now: float) -> tuple[tuple[str, str], ...]:
        """Start what a 2xx to `request` agrees on; return the header fields that say so."""
        interval, fields = grant(request, seconds=self._seconds, min_se=self._min_se)
        self._start(interval, now)
        return fields

    def granted(self, response: Response, now: float) -> None:
        """Start what a 2xx to our request agrees on."""
        self._start(granted(response), now)

    def longer(self, min_se: int) -> None:
        """Ask for at least `min_se` from now on (§7.3)."""
        self._min_se = max(self._min_se, min_se)
        self._seconds = max(self._seconds, self._min_se)
        if self._interval is not None:
            self._interval = SessionInterval(self._seconds, self._interval.ours)

    def refresh_again(self, at: float) -> None:
        """Try a failed refresh again at this time."""
        self.refresh_at = at

    def stop(self) -> None:
        """Let neither a refresh nor the end come."""
        self._start(None, 0.0)

    def _start(self, interval: SessionInterval | None, now: float) -> None:
        self._interval = interval
        self.refresh_at = self.expire_at = NEVER
        if interval is not None:
            self.expire_at = now + interval.expires_after
            if interval.ours:
                self.refresh_at = now + interval.refresh_after

    def _ask(self, refresher: Refresher) -> tuple[tuple[str, str], ...]:
        seconds = self._interval.seconds if self._interval else self._seconds
        expires = SessionExpires(max(seconds, self._min_se), refresher)
        return (("Session-Expires", str(expires)), ("Min-SE", str(self._min_se)))


def read_min_se(message: Message) -> int | None:
    """Return Min-SE in seconds, None where it is absent or no number (§5)."""
    text = message.headers.get("Min-SE")
    return None if text is None else read_seconds(text.partition(";")[0].strip())


def _session_expires(message: Message) -> SessionExpires | None:
    text = message.headers.get("Session-Expires")
    return None if text is None else SessionExpires.parse(text)

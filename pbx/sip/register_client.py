"""One registration of ours with a carrier: when to send REGISTER, and what the answers mean.

Pure (RFC 3261 §10.2): who holds it sends what `ask` says when `due` says so, and tells the outcome.
A binding is refreshed at 80 to 90 % of its time, spread by its token so that an office's lines do
not all refresh at once. After a failure the next try comes in 30 s, then twice as late each time,
five minutes at most; a 423 is answered at once with the time that the carrier wants (§10.2.8).
Digests are `account`'s business; a 401 that gets here was answered in vain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pbx.errors import MessageError
from pbx.sip.account import MAX_ANSWERS
from pbx.sip.deadlines import NEVER
from pbx.sip.grammar import read_seconds
from pbx.sip.message import Response

EXPIRES: Final = 600
"""Seconds that are asked for: a line that died unseen is found again within ten minutes."""

FIRST_RETRY, LAST_RETRY = 30.0, 300.0
"""Seconds until the next try: after the first failure, and after many."""

MAX_EXPIRES: Final = 86_400
"""Seconds; a carrier that grants or wants longer is asked daily all the same."""

EARLIEST, SPREAD = 0.8, 0.1
"""The part of its time after which a binding is refreshed, and what the token adds at most."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One REGISTER to send: what Expires says, and its Call-ID and CSeq number."""

    expires: int
    same: tuple[str, int]


class RegisterClient:
    """The registration of one line, whose Contact has the user part `token` (hexadecimal)."""

    def __init__(self, token: str, call_id: str) -> None:
        self.token = token
        self.error: str | None = None
        """Why the last try failed; None after one that did not."""
        self._call_id = call_id
        self._number = 0
        self._wanted = EXPIRES
        self._asked: int | None = None
        self._next_at = 0.0
        self._expires_at = 0.0
        self._failures = 0

    def is_registered(self, now: float) -> bool:
        """Tell whether the carrier has our binding, as far as we know."""
        return now < self._expires_at

    @property
    def failing(self) -> bool:
        """Tell whether the latest tries failed."""
        return self._failures > 0

    def due(self, now: float) -> bool:
        """Tell whether a REGISTER is to be sent."""
        return self._asked is None and now >= self._next_at

    def ask(self) -> Asked:
        """Return the REGISTER to send now; its outcome is to be told."""
        return self._ask(self._wanted)

    def ask_to_forget(self) -> Asked | None:
        """Return the REGISTER that ends the binding; None where there is none. No other follows."""
        self._next_at = NEVER
        if self._expires_at == 0.0:
            return None
        self._expires_at = 0.0
        return self._ask(0)

    def answered(self, response: Response, now: float) -> None:
        """Take the final response to the REGISTER."""
        asked, self._asked = self._asked, None
        self._skip_challenge(response)
        if not asked:
            return
        if 200 <= response.status < 300:
            self._registered(self._granted(response, asked), now)
        elif response.status == 423 and (least := _min_expires(response)) > asked:
            self._wanted = least
            self._next_at = now
        else:
            self._fail(f"{response.status} {response.reason}".strip(), _retry_after(response), now)

    def failed(self, slug: str, now: float) -> None:
        """Note that no response came."""
        asked, self._asked = self._asked, None
        self._number += MAX_ANSWERS  # some challenges may have been answered before
        if asked:
            self._fail("no answer" if slug == "timeout" else "cannot be reached", 0, now)

    def unresolved(self, now: float) -> None:
        """Note that the carrier's name has no address now."""
        self._fail("its name has no address", 0, now)

    def again(self, now: float) -> None:
        """Register at the next opportunity: the carrier is back."""
        if self._failures and self._asked is None:
            self._next_at = min(self._next_at, now)

    def _ask(self, expires: int) -> Asked:
        self._number += 1
        self._asked = expires
        return Asked(expires, (self._call_id, self._number))

    def _skip_challenge(self, response: Response) -> None:
        """Count on from the CSeq number of the REGISTER that was answered."""
        try:
            self._number = max(self._number, response.cseq.number)
        except MessageError:
            self._number += 1

    def _registered(self, granted: int, now: float) -> None:
        self.error = None
        self._failures = 0
        self._expires_at = now + granted
        part = EARLIEST + SPREAD * int(self.token[:2], 16) / 255
        self._next_at = now + granted * part

    def _fail(self, error: str, retry_after: int, now: float) -> None:
        self.error = error
        wait = min(LAST_RETRY, FIRST_RETRY * 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        self._next_at = now + max(wait, min(retry_after, LAST_RETRY))

    def _granted(self, response: Response, asked: int) -> int:
        """Return the seconds of the binding: those of our Contact, of Expires, or what we asked."""
        try:
            ours = [each for each in response.contacts if each.uri.user == self.token]
        except MessageError:
            ours = []
        named = read_seconds(ours[0].parameters.get("expires")) if ours else None
        granted = named or read_seconds(response.headers.get("Expires")) or asked
        return max(1, min(granted, MAX_EXPIRES))


def _min_expires(response: Response) -> int:
    return min(read_seconds(response.headers.get("Min-Expires")) or 0, MAX_EXPIRES)


def _retry_after(response: Response) -> int:
    value = response.headers.get("Retry-After") or ""
    return read_seconds(value.split(";")[0].split("(")[0].strip()) or 0

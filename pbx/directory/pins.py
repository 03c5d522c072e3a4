"""The PINs of a conference room: digests that are slow to guess, and how a keyed PIN is checked.

A PIN has few digits, so nothing keeps it from somebody who has the database and patience; the
digest (scrypt, RFC 7914, a few milliseconds each) keeps it from a glance and from a quick list.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from pbx.errors import Refused

_COST = 1 << 11  # scrypt's N: 2 MB and about 5 ms for each try
_WEAK = frozenset({"0000", "1111", "1234", "12345", "123456", "4321"})


@dataclass(frozen=True, slots=True)
class ConferencePins:
    """What is kept of a room's PINs; None for one that is not set."""

    room: str
    salt: str
    member: str | None = None
    moderator: str | None = None

    def is_members(self, pin: str) -> bool:
        """Tell whether `pin` lets members in."""
        return self._is(self.member, pin)

    def is_moderators(self, pin: str) -> bool:
        """Tell whether `pin` makes a moderator."""
        return self._is(self.moderator, pin)

    def _is(self, digest: str | None, pin: str) -> bool:
        return digest is not None and hmac.compare_digest(digest, pin_digest(pin, self.salt))


def pin_digest(pin: str, salt: str) -> str:
    """Return what is stored of a PIN."""
    return hashlib.scrypt(pin.encode(), salt=salt.encode(), n=_COST, r=8, p=1, dklen=24).hex()


def check_pin(pin: str) -> None:
    """Refuse a PIN that cannot be keyed, or that is tried first."""
    if not re.fullmatch(r"[0-9]{4,10}", pin):
        raise Refused("a PIN has 4 to 10 digits")
    if pin in _WEAK or len(set(pin)) == 1:
        raise Refused(f"{pin} is the first that anybody tries; choose another PIN")

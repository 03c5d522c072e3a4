"""What proves us to a carrier: answers to its 401 and 407 (RFC 3261 §22, RFC 7616, RFC 8760).

An `Account` is given to the requests that go to one carrier. It answers a challenge only where the
request went to one of the carrier's own addresses and the realm is the one of its first challenge:
a callee further on, or somebody on the way, who challenges a BYE learns no digest of ours. Which
realm that is, is remembered here; another one is told to `refused`, once for each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from pbx.sip.digest import Challenge, answer, parse_challenges

if TYPE_CHECKING:
    from pbx.sip.flow import Address
    from pbx.sip.message import Response

MAX_ANSWERS: Final = 3
"""Challenges that are answered for one request: a proxy's, the server's, and one gone stale."""

_FIELDS: Final = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}

_MAX_REFUSED = 16
"""Realms whose refusal is remembered, so that each is told once."""


def _tell_nobody(_realm: str) -> None:
    """Hear of a refused realm without doing anything."""


class Account:
    """A user and a password at one carrier, whose `addresses` are its own."""

    def __init__(
        self,
        username: str,
        password: str,
        *,
        addresses: Collection[Address] = (),
        realm: str | None = None,
        refused: Callable[[str], None] = _tell_nobody,
    ) -> None:
        """Make an account; `realm` is the one that the carrier is known to have, None where it was
        never asked."""
        self.username = username
        self.realm = realm
        self.addresses = addresses
        self._password = password
        self._refused = refused
        self._refused_realms: set[str] = set()
        self._nonce = ""
        self._count = 0

    def respond_to(
        self, challenge: Challenge, *, method: str, uri: str, cnonce: Callable[[], str]
    ) -> str:
        """Return the value that answers a challenge for one request."""
        self._count = self._count + 1 if challenge.nonce == self._nonce else 1
        self._nonce = challenge.nonce
        credentials = answer(
            challenge,
            method=method,
            uri=uri,
            username=self.username,
            password=self._password,
            cnonce=cnonce(),
            nonce_count=self._count,
        )
        return str(credentials)

    def pick(self, response: Response, remote: Address) -> Challenge | None:
        """Return the challenge of a 401 or 407 that may be answered; None where none may."""
        if remote not in self.addresses:
            return None
        challenges = parse_challenges(response.headers.get_all(_FIELDS[response.status][0]))
        for challenge in challenges:
            if self.realm is None:
                self.realm = challenge.realm
            if challenge.realm == self.realm:
                return challenge
        if challenges:
            self._refuse(challenges[0].realm)
        return None

    def _refuse(self, realm: str) -> None:
        if realm not in self._refused_realms and len(self._refused_realms) < _MAX_REFUSED:
            self._refused_realms.add(realm)
            self._refused(realm)


class Proofs:
    """The answers that one request carries, as it is sent again after each challenge."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._values: dict[str, str] = {}
        self._nonces: set[str] = set()

    @property
    def lines(self) -> str:
        """Return the header lines of the request."""
        return "".join(f"{name}: {value}\r\n" for name, value in self._values.items())

    def answer(
        self,
        response: Response,
        *,
        remote: Address,
        method: str,
        uri: str,
        cnonce: Callable[[], str],
    ) -> bool:
        """Take a challenge; False where it is final: not to be answered, or answered in vain."""
        if response.status not in _FIELDS or len(self._nonces) >= MAX_ANSWERS:
            return False
        challenge = self._account.pick(response, remote)
        name = _FIELDS[response.status][1]
        if challenge is None or challenge.nonce in self._nonces:
            return False
        if name in self._values and not challenge.stale:
            return False  # the password is wrong
        self._nonces.add(challenge.nonce)
        self._values[name] = self._account.respond_to(
            challenge, method=method, uri=uri, cnonce=cnonce
        )
        return True

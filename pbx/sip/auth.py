"""Who a request is from, proven by digest: our challenges, and what to think of the answers.

RFC 7616 and RFC 8760: SHA-256 and MD5 are offered side by side, `qop=auth` alone. A nonce is made
of its time, a counter and a keyed hash over both and the source address, so it needs no memory and
is good for that source alone: a forged sender address can neither use one nor make another source
look like a guesser. Remembered is only which counts (nc) of a nonce were used, and only after a
right answer, so the table grows with honest users and is bounded besides.

An unknown user costs the same work and gets the same answer as a wrong password. Not decided here:
what a proven user may do, and what a failure leads to (`guard`).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

from pbx.errors import MessageError
from pbx.sip.digest import (
    ALGORITHMS,
    Challenge,
    Credential,
    Credentials,
    digest_response,
    make_ha1,
)
from pbx.sip.grammar import printable, unescape
from pbx.sip.message import Request
from pbx.sip.uri import Uri

__all__ = [
    "Credential",
    "DigestAuthenticator",
    "Failed",
    "Missing",
    "Stale",
    "Verdict",
    "Verified",
    "make_ha1",
]

NONCE_LIFETIME = 300.0
"""Seconds for which a nonce may be answered."""

MAX_NONCES = 65_536
"""Nonces whose used counts are remembered at a time; beyond, old nonces turn stale early."""

COUNT_WINDOW = 64
"""How far a count may lag behind the highest one: requests overtake each other on UDP."""

MAX_CREDENTIALS = 8
"""Authorization headers of one request that are looked at."""

CHALLENGES_BY_AGENT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("baresip v0.", ("MD5",)),
    ("baresip v1.", ("MD5",)),
    ("baresip v2.", ("MD5",)),
)
"""Phones, by the start of User-Agent in lower case, that give up when they see an algorithm which
they do not know, instead of passing over it."""

CHALLENGES_TO_NAMELESS = ("MD5", "SHA-256")
"""What does not name itself is a tool or a very old phone, and those read the first challenge only
(SIPp 3.6 ends the call at SHA-256)."""

_NONCE = struct.Struct(">QI")  # milliseconds, counter
_NONCE_LENGTH = 32  # characters: base64 of 12 octets and of 12 more of the hash


@dataclass(frozen=True, slots=True)
class Missing:
    """No credentials of ours, or nothing that can be read as such: challenge it, count nothing."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The nonce is not ours, not for this source, too old or used: challenge it with stale."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A fresh nonce was answered wrongly as `username`, who may not exist: a failed attempt."""

    username: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The sender knows the password of `username`."""

    username: str


Verdict = Missing | Stale | Failed | Verified


class DigestAuthenticator:
    """Makes challenges for one realm and checks the answers."""

    def __init__(
        self,
        realm: str,
        secret: bytes,
        *,
        algorithms: tuple[str, ...] = tuple(ALGORITHMS),
        nonce_lifetime: float = NONCE_LIFETIME,
        max_nonces: int = MAX_NONCES,
    ) -> None:
        """Make an authenticator. `secret` is random and fresh for each run: used counts are not
        kept.

        `algorithms` are offered in this order, save to phones that cannot stand it.
        """
        self._realm = realm
        self._algorithms = algorithms
        self._nonces = _Nonces(secret, nonce_lifetime, max_nonces)
        # Hashed for users that do not exist; nobody can know the password.
        self._nobody = make_ha1("", realm, secret.hex())

    def challenge(
        self, request: Request, *, source: str, now: float, stale: bool = False
    ) -> list[tuple[str, str]]:
        """Return the WWW-Authenticate headers for a 401 to `request`, which came from `source`."""
        nonce = self._nonces.make(source, now)
        return [
            (
                "WWW-Authenticate",
                str(Challenge(self._realm, nonce, algorithm=algorithm, stale=stale)),
            )
            for algorithm in self._offer(request.user_agent)
        ]

    def check(
        self,
        request: Request,
        credentials: Callable[[str], Credential | None],
        *,
        source: str,
        now: float,
    ) -> Verdict:
        """Judge the Authorization headers of `request`, which came from `source`; never raises.

        `credentials` looks a user up, None for one that does not exist. `source` is any text that
        stays the same for one phone, such as `guard.source_key` of its address.
        """
        given = self._find(request)
        if given is None:
            return Missing()
        issued = self._nonces.issued_at(given.nonce, source, now)
        if issued is None:
            return Stale()
        credential = credentials(given.username)
        if not self._answers(given, request, credential or self._nobody) or credential is None:
            return Failed(printable(given.username))
        if not self._nonces.use(given.nonce, issued, given.nonce_count, now):
            return Stale()
        return Verified(given.username)

    def _offer(self, user_agent: str | None) -> tuple[str, ...]:
        wanted = self._algorithms if user_agent else CHALLENGES_TO_NAMELESS
        name = (user_agent or "").lower()
        for prefix, suited in CHALLENGES_BY_AGENT:
            if name.startswith(prefix):
                wanted = suited
        return tuple(a for a in wanted if a in self._algorithms) or self._algorithms

    def _find(self, request: Request) -> Credentials | None:
        for text in request.headers.get_all("Authorization")[:MAX_CREDENTIALS]:
            try:
                given = Credentials.parse(text)
            except MessageError:
                continue
            if given.realm == self._realm:
                return given
        return None

    def _answers(self, given: Credentials, request: Request, credential: Credential) -> bool:
        acceptable = (
            given.algorithm in self._algorithms
            and given.qop.lower() == "auth"
            and given.nonce_count > 0
            and _same_target(given.uri, request)
        )
        if given.algorithm not in ALGORITHMS:
            return False
        expected = digest_response(given, request.method, credential.ha1(given.algorithm))
        offered = given.response.lower().encode("utf-8", "surrogateescape")
        return hmac.compare_digest(expected.encode(), offered) and acceptable


def _same_target(uri: str, request: Request) -> bool:
    """Tell whether the digest was made for this Request-URI (RFC 7616 §3.4.6).

    Phones differ in how they write the server there (name or address, port, parameters), and an
    answer cannot be replayed anyway; what must not be changed on the way is who is called.
    """
    if uri == request.uri_text:
        return True
    try:
        signed, actual = Uri.parse(uri), request.uri
    except MessageError:
        return False
    if actual.user is None:
        return True
    return signed.user is not None and unescape(signed.user) == unescape(actual.user)


class _Nonces:
    """Makes nonces, knows its own again, and lets each count of a nonce be used once."""

    def __init__(self, secret: bytes, lifetime: float, maximum: int) -> None:
        self._key = hashlib.sha256(secret).digest()
        self._lifetime = lifetime
        self._maximum = maximum
        self._made = 0
        self._oldest = 0.0  # nonces issued before are stale: their counts were forgotten
        self._used: dict[str, tuple[float, int, int]] = {}  # issued, highest count, bits seen

    def make(self, source: str, now: float) -> str:
        """Return a nonce never returned before."""
        self._made = (self._made + 1) & 0xFFFFFFFF
        return self._sign(_NONCE.pack(int(now * 1000.0), self._made), source)

    def issued_at(self, nonce: str, source: str, now: float) -> float | None:
        """Return when `nonce` was made for `source`; None unless it was, and is still good."""
        if len(nonce) != _NONCE_LENGTH or not nonce.isascii():
            return None
        try:
            stamp = urlsafe_b64decode(nonce)[: _NONCE.size]
        except ValueError:
            return None
        if len(stamp) != _NONCE.size or not hmac.compare_digest(self._sign(stamp, source), nonce):
            return None
        issued = float(_NONCE.unpack(stamp)[0]) / 1000.0
        return issued if self._oldest <= issued and now - issued < self._lifetime else None

    def use(self, nonce: str, issued: float, count: int, now: float) -> bool:
        """Note that `count` was used; False where it was before, or lags too far behind."""
        known = self._used.get(nonce)
        if known is None:
            self._forget(now)
            self._used[nonce] = (issued, count, 1)
            return True
        _, highest, seen = known
        ahead = count - highest
        if ahead > 0:
            bits = seen << min(ahead, COUNT_WINDOW) | 1
            self._used[nonce] = (issued, count, bits & (1 << COUNT_WINDOW) - 1)
            return True
        if -ahead >= COUNT_WINDOW or seen >> -ahead & 1:
            return False
        self._used[nonce] = (issued, highest, seen | 1 << -ahead)
        return True

    def _sign(self, stamp: bytes, source: str) -> str:
        signed = stamp + source.encode("utf-8", "surrogateescape")
        signature = hashlib.blake2s(signed, key=self._key, digest_size=12).digest()
        return urlsafe_b64encode(stamp + signature).decode("ascii")

    def _forget(self, now: float) -> None:
        while self._used:
            eldest, (issued, _, _) = next(iter(self._used.items()))
            if now - issued < self._lifetime:
                if len(self._used) < self._maximum:
                    return
                self._oldest = max(self._oldest, issued + 0.001)
            del self._used[eldest]

"""Keys of SRTP in a description: a=crypto (RFC 4568), read, written, chosen and answered.

The offer lists suites, best first, with a key each; the answer names one of them, by tag and suite,
with a key of its own. A key seals what its writer sends. Lifetimes are read over (a call ends long
before 2^20 packets cost anything), master key identifiers are read past in the remote's packets and
never sent; lines with several keys, unknown suites or parameters that we cannot follow are skipped.

What a leg does with all this is its `Security`. `offer_answer.OfferAnswer` keeps our keys; neither
file shows one to anybody, and their texts leave them out.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Final

import msgspec

from pbx.errors import SdpError
from pbx.media.protocol import SrtpKeys
from pbx.media.sdp import Attribute, read_number

SUITES: Final[Mapping[str, int]] = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AEAD_AES_256_GCM": 44,
    "AEAD_AES_128_GCM": 28,
    "AES_CM_128_HMAC_SHA1_32": 30,
}
"""Suites in the order in which we offer them → octets of master key and salt.

The one that every phone has goes first: some read no further than the first line (RFC 7714 §14.2
has the lengths of GCM)."""

SECURE_PROTOCOLS: Final = ("RTP/SAVP", "RTP/SAVPF")
"""Profiles that say that all is encrypted (RFC 3711 §12, RFC 5124)."""

RandomBytes = Callable[[int], bytes]
"""Returns so many random octets, fit for keys."""

_MAX_LINES: Final = 32
"""a=crypto lines of one stream that are read."""

_MAX_MKI: Final = 128  # octets, RFC 4568 §6.1

_LINE: Final = re.compile(
    r"(?P<tag>[0-9]{1,9})\s+(?P<suite>[A-Za-z0-9_]{1,60})\s+"
    r"(?i:inline):(?P<key>[A-Za-z0-9+/]{1,88}={0,2})"
    r"(?P<rest>(?:\|[0-9^:]{1,40}){0,2})(?P<parameters>(?:\s+\S{1,80})*)"
)
_HARMLESS: Final = re.compile(r"-.*|WSH=[0-9]+", re.I)
"""Session parameters that may be read over (RFC 4568 §6.3)."""


class Security(Enum):
    """What one leg does about SRTP."""

    OFF = "off"
    """Plain RTP alone: keys in a description are not looked at."""
    OPTIONAL = "optional"
    """SRTP with those who can, plain RTP with the others."""
    REQUIRED = "required"
    """SRTP or nothing."""
    IMPOSSIBLE = "impossible"
    """SRTP or nothing, but its keys would be read by whoever reads the signalling: nothing."""

    @classmethod
    def of(cls, policy: str, *, private: bool) -> Security:
        """Return what a policy (required, optional, off) means on a leg.

        `private` says that nobody on the way can read the signalling, or that it does not matter.
        """
        if private or policy == "off":
            return cls(policy)
        return cls.IMPOSSIBLE if policy == "required" else cls.OFF

    @property
    def may(self) -> bool:
        """Return whether keys are offered and taken."""
        return self in (Security.OPTIONAL, Security.REQUIRED)

    @property
    def must(self) -> bool:
        """Return whether plain RTP is refused."""
        return self in (Security.REQUIRED, Security.IMPOSSIBLE)


class Crypto(msgspec.Struct, frozen=True):
    """One a=crypto line. `key` is master key and salt, joined; `mki` octets of each packet name
    it."""

    tag: int
    suite: str
    key: bytes
    mki: int = 0

    def __repr__(self) -> str:
        return f"Crypto({self.tag}, {self.suite})"

    @property
    def attribute(self) -> Attribute:
        """Return the a= line."""
        inline = base64.b64encode(self.key).decode("ascii")
        return Attribute("crypto", f"{self.tag} {self.suite} inline:{inline}")


def read_crypto(values: Iterable[str]) -> tuple[Crypto, ...]:
    """Return those of the a=crypto lines that we can follow, in their order."""
    lines = (_read_line(value) for value, _ in zip(values, range(_MAX_LINES), strict=False))
    return tuple(line for line in lines if line is not None)


def _read_line(value: str) -> Crypto | None:
    found = _LINE.fullmatch(value.strip())
    if found is None:
        return None
    suite = found["suite"].upper()
    mki = _key_identifier(found["rest"])
    if suite not in SUITES or mki is None:
        return None
    if not all(_HARMLESS.fullmatch(parameter) for parameter in found["parameters"].split()):
        return None
    try:
        key = base64.b64decode(found["key"] + "=" * (-len(found["key"]) % 4), validate=True)
    except binascii.Error:
        return None
    return Crypto(int(found["tag"]), suite, key, mki) if len(key) == SUITES[suite] else None


def _key_identifier(rest: str) -> int | None:
    """Return the octets of the master key identifier in `|2^20|1:4`; None for nonsense."""
    for part in rest.split("|"):
        _, colon, length = part.partition(":")
        if colon:
            return read_number(length, _MAX_MKI)
    return 0


class OwnKeys:
    """Our keys of one leg. A key stays while its suite is in use and is never used again after."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._of: dict[str, bytes] = {}
        self._in_use: str | None = None

    def key(self, suite: str) -> bytes:
        """Return our key for a suite."""
        if suite not in self._of:
            self._of[suite] = self._random_bytes(SUITES[suite])
        return self._of[suite]

    def offer(self) -> tuple[Crypto, ...]:
        """Return the lines of an offer, the suite in use first."""
        suites = sorted(SUITES, key=lambda suite: suite != self._in_use)
        return tuple(Crypto(tag, suite, self.key(suite)) for tag, suite in enumerate(suites, 1))

    def agree_on(self, suite: str | None) -> None:
        """Note what is spoken from now on; None for plain RTP."""
        if self._in_use is not None and suite != self._in_use:
            del self._of[self._in_use]
        self._in_use = suite


def pair(ours: tuple[Crypto, ...], theirs: tuple[Crypto, ...]) -> SrtpKeys | None:
    """Return the keys that an offer and its answer agree on; None where there are none.

    One of the two has one line. Lines fit by tag and suite, or by suite alone where a phone numbers
    its answer anew.
    """
    fitting = [
        (own.tag != other.tag, own, other)
        for own in ours
        for other in theirs
        if own.suite == other.suite
    ]
    if not fitting:
        return None
    _, own, other = min(fitting, key=lambda found: found[0])
    return SrtpKeys(own.suite, own.key, other.key, other.mki)


def check_security(security: Security, *, secure: bool) -> None:
    """Raise SdpError(488) where a leg may not speak like this."""
    if security is Security.IMPOSSIBLE:
        raise SdpError(488, "srtp_needs_tls")
    if security.must and not secure:
        raise SdpError(488, "plain_media")

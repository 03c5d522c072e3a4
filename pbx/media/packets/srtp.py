"""SRTP of one leg (RFC 3711, RFC 7714): what goes out is sealed, what comes in is opened.

A transformation at the wire: rows, voices and reports see plain RTP and RTCP alone. A packet with a
wrong tag, one that came before, one that is no SRTP: it is counted and gone, and never ends
anything. New SSRCs need nothing. libsrtp does the work; each direction has a key and a context of
its own, so that a key that stays keeps its rollover counter when the other one changes.

libsrtp's bindings show no rollover counter, so `progress` is counted here, and a context that goes
on elsewhere is led up to it with empty packets that nobody gets (three for each 65,536).

DTLS-SRTP (RFC 5764) will come in at two places: handshake datagrams (first octet 20 to 63) at
`Wire._judge`, which counts them as strangers' today, and their exported keys at `Wire.secure`, as
`SrtpKeys`, like those of SDES. From there on nothing differs.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from pylibsrtp import Error, Policy, Session

from pbx.errors import UsageError
from pbx.media.protocol import SrtpKeys
from pbx.media.sdes import SUITES
from pbx.media.terms import Word32

_PROFILES: Final[Mapping[str, int]] = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}

_TAGS: Final[Mapping[str, tuple[int, int]]] = {
    "AES_CM_128_HMAC_SHA1_80": (10, 10),
    "AES_CM_128_HMAC_SHA1_32": (4, 10),
    "AEAD_AES_128_GCM": (0, 0),
    "AEAD_AES_256_GCM": (0, 0),
}
"""Octets behind a master key identifier, of RTP and of RTCP (RFC 3711 §3.1, RFC 7714 §8.2)."""

_STEP: Final = 0x5555
"""Packets by which an index can be led on at once, less than half a turn of the sequence."""

_NO_SSRC: Final = b""
_EMPTY_REPORT: Final = struct.Struct("!BBHI")
_HEADER: Final = struct.Struct("!BBHII")


class SealError(OSError):
    """A packet cannot be sealed: its sequence number was used, or it is too long.

    Sealing another packet with one number would give its keystream away, and with GCM the key of
    the tags; so what a careless phone sends twice goes on to a secure leg once.
    """


class Progress(msgspec.Struct, frozen=True, array_like=True):
    """How far one direction is: `index` is 65,536 × rollovers + sequence of the newest packet of
    `ssrc` (RFC 3711 §3.3.1), −1 before the first; `reports` counts the SRTCP packets sent.

    Both are led up to step by step and so are bounded: two years of speech, half a year of reports.
    """

    ssrc: Word32
    index: Annotated[int, msgspec.Meta(ge=-1, le=1 << 32)]
    reports: Annotated[int, msgspec.Meta(ge=0, le=1 << 22)] = 0


class SrtpState(msgspec.Struct, frozen=True, array_like=True):
    """What `Srtp` of another worker needs to go on: the keys and where both directions are."""

    keys: SrtpKeys
    sent: Progress
    received: Progress


class _Track:
    """Counts rollovers. Looks closer only when a packet's SSRC or upper sequence octet changes."""

    __slots__ = ("_high", "_last", "_rollovers", "_ssrc")

    def __init__(self) -> None:
        self._ssrc = _NO_SSRC
        self._high = -1
        self._rollovers = 0
        self._last = b""

    def _turn(self, packet: bytes) -> None:
        """Take note of a packet with another SSRC or upper sequence octet than the last."""
        ssrc, high = packet[8:12], packet[2]
        if ssrc != self._ssrc:
            self._ssrc, self._high, self._rollovers = ssrc, high, 0
        elif (high - self._high) & 0xFF < 0x80:
            self._rollovers += high < self._high
            self._high = high

    def _index(self) -> int:
        last = self._last
        if not last:
            return -1
        late = last[2] - self._high > 0x80  # said before the sequence wrapped, came after it
        return (self._rollovers - late) << 16 | int.from_bytes(last[2:4], "big")


class Sealer(_Track):
    """Our direction: seals RTP and RTCP with one key."""

    __slots__ = ("_protect", "_protect_report", "_reporter", "_reports", "key")

    def __init__(self, suite: str, key: bytes, *, behind: Progress | None = None) -> None:
        """Make a context, or one that goes on `behind` what another one sent with this key."""
        super().__init__()
        self.key = suite, key
        self._reporter = _NO_SSRC
        self._reports = 0
        context = _context(suite, key, Policy.SSRC_ANY_OUTBOUND)
        self._protect = context.protect
        self._protect_report = context.protect_rtcp
        if behind is not None:
            for packet in _empty_packets(behind):
                self.seal(packet)
            for _ in range(behind.reports):
                self.seal_report(_EMPTY_REPORT.pack(0x80, 201, 1, behind.ssrc))

    def seal(self, packet: bytes | memoryview) -> bytes:
        """Return an RTP packet as SRTP; raise SealError."""
        plain = bytes(packet)
        try:
            sealed = self._protect(plain)
        except (Error, ValueError) as error:
            raise SealError(errno.EINVAL, str(error)) from None
        self._last = plain
        if plain[2] != self._high or plain[8:12] != self._ssrc:
            self._turn(plain)
        return sealed

    def seal_report(self, datagram: bytes) -> bytes:
        """Return RTCP as SRTCP; raise SealError."""
        try:
            sealed = self._protect_report(datagram)
        except (Error, ValueError) as error:
            raise SealError(errno.EINVAL, str(error)) from None
        self._reporter = datagram[4:8]
        self._reports += 1
        return sealed

    @property
    def progress(self) -> Progress:
        """Return how far this direction is; RTP and RTCP of a leg have one SSRC."""
        ssrc = int.from_bytes(self._ssrc or self._reporter, "big")
        return Progress(ssrc, self._index(), self._reports)


class Opener(_Track):
    """The remote's direction: opens what it sealed with one key."""

    __slots__ = ("_mki", "_tags", "_unprotect", "_unprotect_report", "bad_tags", "key", "replays")

    def __init__(
        self, suite: str, key: bytes, *, mki: int = 0, behind: Progress | None = None
    ) -> None:
        """Make a context, or one that goes on `behind` what another one opened with this key.

        Packets carry `mki` octets of master key identifier. Behind another context, numbers older
        than its newest one count as not seen yet.
        """
        super().__init__()
        self.key = suite, key
        self.bad_tags = 0
        """Packets whose tag was wrong, or that were no SRTP."""
        self.replays = 0
        """Packets that had come before, or were too old to tell."""
        self._mki = mki
        self._tags = _TAGS[suite]
        context = _context(suite, key, Policy.SSRC_ANY_INBOUND)
        self._unprotect = context.unprotect
        self._unprotect_report = context.unprotect_rtcp
        if behind is not None:
            remote = _context(suite, key, Policy.SSRC_ANY_OUTBOUND)
            for packet in _empty_packets(behind):
                self._unprotect(remote.protect(packet))
                self._last = packet
                self._turn(packet)

    def open(self, packet: bytes | memoryview) -> bytes | None:
        """Return SRTP as the RTP packet it is, or None for one that is to be dropped."""
        sealed = bytes(packet)
        if self._mki:
            sealed = _without(sealed, self._mki, self._tags[0])
        try:
            plain = self._unprotect(sealed)
        except (Error, ValueError) as error:
            self._count(error)
            return None
        self._last = plain
        if plain[2] != self._high or plain[8:12] != self._ssrc:
            self._turn(plain)
        return plain

    def open_report(self, datagram: bytes) -> bytes | None:
        """Return SRTCP as the RTCP it is, or None for what is to be dropped."""
        if self._mki:
            datagram = _without(datagram, self._mki, self._tags[1])
        try:
            return self._unprotect_report(datagram)
        except (Error, ValueError) as error:
            self._count(error)
            return None

    def _count(self, error: Exception) -> None:
        if str(error).startswith("replay"):
            self.replays += 1
        else:
            self.bad_tags += 1

    @property
    def progress(self) -> Progress:
        """Return how far this direction is."""
        return Progress(int.from_bytes(self._ssrc, "big"), self._index())


class Srtp:
    """Both directions of one leg."""

    __slots__ = ("_keys", "opener", "sealer")

    def __init__(self, keys: SrtpKeys) -> None:
        """Begin with these keys; raise UsageError for a suite that `pbx.media.sdes` never names."""
        self._keys = keys
        self.sealer = Sealer(keys.suite, keys.send)
        self.opener = Opener(keys.suite, keys.receive, mki=keys.mki)

    def change(self, keys: SrtpKeys) -> None:
        """Take over the keys of a new description; a direction whose key stays goes on as it is."""
        before, self._keys = self._keys, keys
        if self.sealer.key != (keys.suite, keys.send):
            self.sealer = Sealer(keys.suite, keys.send)
        if self.opener.key != (keys.suite, keys.receive) or before.mki != keys.mki:
            opener = Opener(keys.suite, keys.receive, mki=keys.mki)
            opener.bad_tags, opener.replays = self.opener.bad_tags, self.opener.replays
            self.opener = opener

    @property
    def state(self) -> SrtpState:
        """Return what another worker needs to go on."""
        return SrtpState(self._keys, self.sealer.progress, self.opener.progress)

    @classmethod
    def resume(cls, state: SrtpState) -> Srtp:
        """Go on where another worker was."""
        keys = state.keys
        resumed = cls(keys)
        resumed.sealer = Sealer(keys.suite, keys.send, behind=state.sent)
        resumed.opener = Opener(keys.suite, keys.receive, mki=keys.mki, behind=state.received)
        return resumed


def check_keys(keys: SrtpKeys) -> None:
    """Raise UsageError for a suite that is none of ours, or a key that is too short or too long.

    libsrtp reads as many octets as the suite has, whatever it is given.
    """
    for key in (keys.send, keys.receive):
        if SUITES.get(keys.suite) != len(key):
            raise UsageError(f"{len(key)} octets are no key for {keys.suite}")
    if not 0 <= keys.mki <= 128:
        raise UsageError(f"a key identifier has no {keys.mki} octets")


def _context(suite: str, key: bytes, ssrcs: int) -> Session:
    profile = _PROFILES.get(suite)
    if profile is None:
        raise UsageError(f"{suite} is no suite of ours")
    return Session(Policy(key=key, ssrc_type=ssrcs, srtp_profile=profile))


def _empty_packets(behind: Progress) -> list[bytes]:
    """Return packets that lead a new context's index up to `behind`."""
    if behind.index < 0:
        return []
    indexes = [*range(0, behind.index, _STEP), behind.index]
    return [_HEADER.pack(0x80, 0, index & 0xFFFF, 0, behind.ssrc) for index in indexes]


def _without(sealed: bytes, mki: int, tag: int) -> bytes:
    """Return a packet without the master key identifier in front of its tag."""
    end = len(sealed) - tag
    return sealed[: max(0, end - mki)] + sealed[end:]

"""The rules of RFC 3264 as functions: our offer, our answer, and what two descriptions agree on.

Nothing here remembers anything but `PayloadNumbers`; `offer_answer.OfferAnswer` keeps the state of
a leg. Directions in an `AudioDescription` are its writer's, in `NegotiatedMedia` callpbx's.

An answer of ours names one codec, so that nobody switches to one that the other leg does not
speak. Beside it stands telephone-event, at the codec's clock where both sides have that, else at
8000 Hz, as most phones do beside opus.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from pbx.errors import SdpError
from pbx.media.codec import EVENT_PAYLOADS, Codec
from pbx.media.formats import (
    PROTOCOLS,
    Address,
    AudioDescription,
    Capabilities,
    Format,
    event_rtpmap,
)
from pbx.media.protocol import MediaDirection, PayloadMap, SrtpKeys, UpdateLeg
from pbx.media.sdes import Crypto, pair
from pbx.media.sdp import Direction

_DYNAMIC = range(96, 128)  # payload types, RFC 3551 §6

_SPELLED: Mapping[Direction, MediaDirection] = {
    Direction.SENDRECV: "sendrecv",
    Direction.SENDONLY: "sendonly",
    Direction.RECVONLY: "recvonly",
    Direction.INACTIVE: "inactive",
}


class NegotiatedMedia(msgspec.Struct, frozen=True):
    """What a leg speaks after an answer."""

    codec: Codec
    payload: PayloadMap
    """The codec as this leg numbers it, for the worker."""
    remote: Address | None
    """Where RTP is sent; None while the remote is on 0.0.0.0."""
    remote_rtcp: Address | None
    direction: Direction
    """Seen from callpbx."""
    held: bool
    """Whether the remote does not want to hear us (sendonly, inactive or 0.0.0.0)."""
    capabilities: Capabilities
    """What the other leg must speak to be relayed to this one: this codec and nothing else."""
    keys: SrtpKeys | None = None
    """The keys of SRTP; None for plain RTP."""

    def update(self, leg: int, *, also_from: str | None, relearn: bool = False) -> UpdateLeg:
        """Return the command that tells a worker all this."""
        return UpdateLeg(
            leg=leg,
            remote=self.remote,
            remote_rtcp=self.remote_rtcp,
            also_from=also_from,
            payload=self.payload,
            direction=_SPELLED[self.direction],
            relearn=relearn,
            keys=self.keys,
        )

    def relays_to(self, other: NegotiatedMedia) -> bool:
        """Tell whether packets can pass between the two legs as they are."""
        return (
            self.codec is other.codec
            and self.payload.event_clock == other.payload.event_clock
            and self.codec.compatible(
                self.capabilities.wishes.get(self.codec.name, {}),
                other.capabilities.wishes.get(other.codec.name, {}),
            )
        )


class PayloadNumbers:
    """The dynamic payload types of one leg: once given, a number keeps its meaning (§8.3.2)."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def learn(self, audio: AudioDescription) -> None:
        """Keep the numbers of a remote's offer, which our answer uses; they win over older ones."""
        for entry in audio.formats:
            self._set(entry.codec.rtpmap, entry.payload)
        for clock, payload in audio.events.items():
            self._set(event_rtpmap(clock), payload)

    def number(self, rtpmap: str, *wanted: int | None) -> int:
        """Return the number of `rtpmap`: the one it has, else the first free one of `wanted`."""
        known = self._of.get(rtpmap)
        if known is None:
            taken = set(self._of.values())
            candidates = (number for number in wanted if number in _DYNAMIC)
            known = next(n for n in (*candidates, *_DYNAMIC) if n is not None and n not in taken)
            self._of[rtpmap] = known
        return known

    def _set(self, rtpmap: str, payload: int) -> None:
        for other in [name for name, number in self._of.items() if number == payload]:
            del self._of[other]
        self._of[rtpmap] = payload


def make_offer(
    capabilities: Capabilities,
    *,
    local: Address,
    numbers: PayloadNumbers,
    direction: Direction = Direction.SENDRECV,
    protocol: str = PROTOCOLS[0],
    index: int = 0,
    crypto: tuple[Crypto, ...] = (),
) -> AudioDescription:
    """Return our offer of these capabilities at `local`, with these keys.

    telephone-event is offered at the clocks that the offered codecs run at, and at 8000 Hz.
    Raises SdpError(488, "no_common_codec") when there is no codec to offer.
    """
    if not capabilities.codecs:
        raise SdpError(488, "no_common_codec")
    preferred = capabilities.payloads
    formats = []
    for codec in capabilities.codecs:
        payload = codec.static_payload
        if payload is None:
            payload = numbers.number(codec.rtpmap, preferred.get(codec.rtpmap), codec.payload)
        formats.append(Format(codec, payload, capabilities.wishes.get(codec.name, {})))
    clocks = {8000, *(codec.clock for codec in capabilities.codecs)}
    events = {}
    for clock in capabilities.events:
        if clock in clocks:
            rtpmap = event_rtpmap(clock)
            events[clock] = numbers.number(rtpmap, preferred.get(rtpmap), EVENT_PAYLOADS[clock])
    return AudioDescription(
        address=local,
        rtcp=None,
        family=6 if ":" in local[0] else 4,
        formats=tuple(formats),
        events=events,
        direction=direction,
        ptime=capabilities.ptime,
        maxptime=capabilities.maxptime,
        protocol=protocol,
        index=index,
        crypto=crypto,
    )


def make_answer(
    offer: AudioDescription,
    capabilities: Capabilities,
    *,
    local: Address,
    direction: Direction = Direction.SENDRECV,
    crypto: tuple[Crypto, ...] = (),
) -> AudioDescription:
    """Return our answer at `local`: the first of `capabilities` that the offer has, alone.

    `direction` is what we would like; the offer limits it. The profile is the offer's; `crypto` is
    our key for one of its suites. Raises SdpError(488,
    "no_common_codec").
    """
    chosen = _first_common(capabilities, offer)
    clock = _event_clock(chosen.codec, set(capabilities.events) & offer.events.keys())
    return AudioDescription(
        address=local,
        rtcp=None,
        family=6 if ":" in local[0] else 4,
        formats=(chosen,),
        events={} if clock is None else {clock: offer.events[clock]},
        direction=direction.within(offer.direction.reversed()),
        ptime=capabilities.ptime,
        maxptime=capabilities.maxptime,
        protocol=offer.protocol,
        index=offer.index,
        crypto=crypto,
    )


def accept(ours: AudioDescription, theirs: AudioDescription) -> NegotiatedMedia:
    """Return what two descriptions make of a leg: our offer and their answer, or the reverse.

    The codec is the first of theirs that ours has too: in their answer the one they like best, in
    ours there is no other. Raises SdpError(488): "no_common_codec", "address_family", and
    "crypto_suite" where one of the profiles leaves no way but SRTP and no key fits.
    """
    for entry in theirs.formats:
        mine = ours.format_of(entry.codec)
        if mine is not None and entry.codec.compatible(mine.fmtp, entry.fmtp):
            return _agreed(ours, theirs, mine, entry)
    raise SdpError(488, "no_common_codec")


def _agreed(
    ours: AudioDescription, theirs: AudioDescription, mine: Format, other: Format
) -> NegotiatedMedia:
    if theirs.address is not None and theirs.family != ours.family:
        raise SdpError(488, "address_family")
    keys = pair(ours.crypto, theirs.crypto)
    if keys is None and (ours.secure or theirs.secure):
        raise SdpError(488, "crypto_suite")
    codec = mine.codec
    clock = _event_clock(codec, ours.events.keys() & theirs.events.keys())
    wished = codec.wished(other.fmtp)
    return NegotiatedMedia(
        codec=codec,
        payload=PayloadMap(
            codec=codec.name,
            send=other.payload,
            receive=mine.payload,
            clock=codec.clock,
            ptime=theirs.packet_time,
            event_send=None if clock is None else theirs.events[clock],
            event_receive=None if clock is None else ours.events[clock],
            event_clock=clock,
        ),
        remote=theirs.address,
        remote_rtcp=theirs.rtcp,
        direction=ours.direction.within(theirs.direction.reversed()),
        held=not theirs.direction.receives,
        capabilities=Capabilities(
            codecs=(codec,),
            events=() if clock is None else (clock,),
            ptime=theirs.ptime,
            maxptime=theirs.maxptime,
            wishes={codec.name: wished} if wished else {},
        ),
        keys=keys,
    )


def _first_common(capabilities: Capabilities, offer: AudioDescription) -> Format:
    """Return the format of our answer: their number, our wishes."""
    for codec in capabilities.codecs:
        theirs = offer.format_of(codec)
        wishes = capabilities.wishes.get(codec.name, {})
        if theirs is not None and codec.compatible(wishes, theirs.fmtp):
            return Format(codec, theirs.payload, wishes)
    raise SdpError(488, "no_common_codec")


def _event_clock(codec: Codec, clocks: Collection[int]) -> int | None:
    """Return the clock that telephone-event has beside `codec`, of those that both sides have."""
    if codec.clock in clocks:
        return codec.clock
    return 8000 if 8000 in clocks else None

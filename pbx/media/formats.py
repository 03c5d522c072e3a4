"""What a description says about audio, and what we are able to speak.

`AudioDescription` is the one stream of a description that a call uses, as values; it is read from
a remote's description and written into ours. `Capabilities` is what may be spoken on a leg; what
one leg said becomes, as `shared_by`, what the other may be offered, so that the two can be
relayed: codecs, keys, packet times and wishes, never an address.

Usable is the first m=audio with a port and an RTP profile that the leg's `Security` allows, one
with keys before one without, as phones that would like SRTP offer it in both ways: keys beside
RTP/AVP, or a line of RTP/SAVP beside a plain one. ICE, BUNDLE and rtcp-mux are not read, so our
answers leave them out, which refuses them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec
from msgspec.structs import replace

from pbx.errors import SdpError
from pbx.media.codec import (
    EVENT_CLOCKS,
    EVENT_FMTP,
    STATIC_PAYLOADS,
    TELEPHONE_EVENT,
    Codec,
    Fmtp,
    codec_mapped,
    codec_named,
    format_fmtp,
    parse_fmtp,
)
from pbx.media.engine import Family
from pbx.media.sdes import SECURE_PROTOCOLS, Crypto, Security, check_security, read_crypto
from pbx.media.sdp import (
    Attribute,
    Connection,
    Direction,
    MediaDescription,
    SessionDescription,
    read_number,
)

Address = tuple[str, int]
"""An IP address in text and a port."""

PROTOCOLS: Final = ("RTP/AVP", "RTP/AVPF")
"""Plain RTP profiles that we speak; of AVPF only what AVP has (RFC 4585 allows that)."""

DEFAULT_PTIME: Final = 20  # ms, RFC 3551 §4.2
_LONGEST: Final = 64  # characters that an address or an rtpmap can have and still be known
_NOWHERE: Final = ("0.0.0.0", "::")  # hold as RFC 2543 wrote it, RFC 3264 §8.4
_PTIMES: Final = range(10, 61, 10)  # ms that a worker can make
_MAX_PTIME: Final = 1000  # ms; anything longer is taken for a mistake
_CACHED_BODY: Final = 2048  # bytes; longer ones must not fill the memory


class Format(msgspec.Struct, frozen=True):
    """A codec under the number that one description gives it."""

    codec: Codec
    payload: int
    fmtp: Fmtp = msgspec.field(default_factory=dict)


class AudioDescription(msgspec.Struct, frozen=True):
    """The audio stream of one description, whoever wrote it."""

    address: Address | None
    """Where its writer wants RTP; None when held by 0.0.0.0."""
    rtcp: Address | None
    """Where its writer wants RTCP."""
    family: Family
    formats: tuple[Format, ...]
    """The codecs that we know, in the writer's order, each once."""
    events: Mapping[int, int]
    """telephone-event: RTP clock → payload type."""
    direction: Direction = Direction.SENDRECV
    """Seen from its writer; an address of 0.0.0.0 counts as not receiving."""
    ptime: int | None = None
    maxptime: int | None = None
    protocol: str = "RTP/AVP"
    index: int = 0
    """Which of the m= lines it is."""
    crypto: tuple[Crypto, ...] = ()
    """Its writer's keys, best first; empty for plain RTP."""

    @property
    def secure(self) -> bool:
        """Tell whether its profile leaves no way but SRTP."""
        return self.protocol.upper() in SECURE_PROTOCOLS

    def format_of(self, codec: Codec) -> Format | None:
        """Return the format of `codec`, or None when it is not listed."""
        for entry in self.formats:
            if entry.codec is codec:
                return entry
        return None

    @property
    def packet_time(self) -> int:
        """Return the milliseconds a packet, 10–60, that its writer likes best."""
        wanted = self.ptime or DEFAULT_PTIME
        if self.maxptime is not None:
            wanted = min(wanted, self.maxptime)
        return wanted if wanted in _PTIMES else DEFAULT_PTIME

    def media(self) -> MediaDescription:
        """Write it as an m= block; only for descriptions of our own, which have an address."""
        attributes = [line.attribute for line in self.crypto]
        for entry in self.formats:
            attributes += _format_attributes(entry)
        for clock, payload in self.events.items():
            attributes.append(Attribute("rtpmap", f"{payload} {TELEPHONE_EVENT}/{clock}"))
            attributes.append(Attribute("fmtp", f"{payload} {EVENT_FMTP}"))
        attributes.append(Attribute("ptime", str(self.ptime or DEFAULT_PTIME)))
        if self.maxptime is not None:
            attributes.append(Attribute("maxptime", str(self.maxptime)))
        attributes.append(Attribute(self.direction.value))
        numbers = [entry.payload for entry in self.formats] + list(self.events.values())
        return MediaDescription(
            "audio",
            self.address[1] if self.address else 0,
            self.protocol,
            tuple(map(str, numbers)),
            None,
            tuple(attributes),
        )


class Capabilities(msgspec.Struct, frozen=True):
    """What may be spoken on a leg, best first."""

    codecs: tuple[Codec, ...]
    events: tuple[int, ...] = EVENT_CLOCKS
    """RTP clocks of telephone-event that may be used; empty means none."""
    ptime: int | None = None
    """Milliseconds a packet that we ask for; None means 20."""
    maxptime: int | None = None
    wishes: Mapping[str, Fmtp] = msgspec.field(default_factory=dict)
    """fmtp that we ask for, by codec name: on relay, what the other leg asks for."""
    payloads: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Dynamic payload types to prefer in an offer, by rtpmap text (`opus/48000/2`)."""

    @classmethod
    def named(cls, names: Iterable[str]) -> Capabilities:
        """Return these codecs (any case, as callpbx.yaml names them); unknown ones are left out."""
        codecs = (codec_named(name) for name in names)
        return cls(tuple(codec for codec in codecs if codec is not None))

    def preferring(self, codec: Codec) -> Capabilities:
        """Return the same with `codec` first, when it is among them."""
        return replace(self, codecs=tuple(sorted(self.codecs, key=lambda own: own is not codec)))

    def followed_by(self, others: Capabilities) -> Capabilities:
        """Return the same with those codecs of `others` behind its own that it lacks."""
        lacking = tuple(codec for codec in others.codecs if codec not in self.codecs)
        return replace(self, codecs=self.codecs + lacking)

    def only(self, codec: Codec) -> Capabilities:
        """Return the same with no codec but `codec`; none is left when it is not among them."""
        return replace(self, codecs=tuple(own for own in self.codecs if own is codec))

    def playable(self) -> Capabilities:
        """Return the same with only the codecs that a worker can play files in."""
        return replace(self, codecs=tuple(own for own in self.codecs if own.playable))

    def shared_by(self, audio: AudioDescription) -> Capabilities:
        """Return what of these `audio`'s writer has too, in the writer's order.

        It is what a leg may be offered that shall be relayed to that writer. Raises
        SdpError(488, "no_common_codec") when nothing is left.
        """
        formats = [entry for entry in audio.formats if entry.codec in self.codecs]
        if not formats:
            raise SdpError(488, "no_common_codec")
        payloads = {entry.codec.rtpmap: entry.payload for entry in formats}
        for clock, payload in audio.events.items():
            payloads[event_rtpmap(clock)] = payload
        return Capabilities(
            codecs=tuple(entry.codec for entry in formats),
            events=tuple(clock for clock in self.events if clock in audio.events),
            ptime=audio.ptime,
            maxptime=audio.maxptime,
            wishes=_wishes(formats),
            payloads=payloads,
        )


def event_rtpmap(clock: int) -> str:
    """Return the rtpmap text of telephone-event at `clock` Hz."""
    return f"{TELEPHONE_EVENT}/{clock}"


def read_description(
    body: bytes, security: Security = Security.OFF
) -> tuple[SessionDescription, AudioDescription]:
    """Return a remote's description and its audio stream; raise SdpError as both readers do.

    A short body is read once: it comes again in the 200 behind a 183 and in each session refresh.
    """
    if len(body) <= _CACHED_BODY:
        return _read(body, security)
    return _read.__wrapped__(body, security)


@lru_cache(maxsize=128)
def _read(body: bytes, security: Security) -> tuple[SessionDescription, AudioDescription]:
    description = SessionDescription.parse(body)
    return description, read_audio(description, security)


def read_audio(
    description: SessionDescription, security: Security = Security.OFF
) -> AudioDescription:
    """Return the audio stream of a remote's description that a call can use.

    Raises SdpError(488): "no_audio" (none offered), "secure_media" or "plain_media" (only profiles
    that the leg does not speak), "crypto_suite" (no key that we can use), "srtp_needs_tls",
    "sdp_address" (its address is no unicast IP address); SdpError(400, "no_connection").
    """
    index, crypto = _usable_stream(description, security)
    media = description.media[index]
    connection = media.connection or description.connection
    if connection is None:
        raise SdpError(400, "no_connection")
    address = _unicast(connection.address[:_LONGEST])
    family: Family = 6 if ":" in address else 4
    held = address in _NOWHERE
    said = _Said.of(media, description.attributes)
    direction = said.direction
    if held:
        direction = Direction.of(sends=direction.sends, receives=False)
    formats, events = _known_formats(media.formats, said)
    return AudioDescription(
        address=None if held else (address, media.port),
        rtcp=None if held else _rtcp(said.rtcp, address, media.port),
        family=family,
        formats=formats,
        events=events,
        direction=direction,
        ptime=said.ptime,
        maxptime=said.maxptime,
        protocol=media.protocol,
        index=index,
        crypto=crypto,
    )


def _usable_stream(
    description: SessionDescription, security: Security
) -> tuple[int, tuple[Crypto, ...]]:
    """Return which m= line is spoken on, and its keys."""
    slug, plain = "no_audio", None
    for index, media in enumerate(description.media):
        if media.kind != "audio" or media.port == 0:
            continue
        crypto = _keys(media, description) if security.may else ()
        protocol = media.protocol.upper()
        if crypto and protocol in PROTOCOLS + SECURE_PROTOCOLS:
            return index, crypto
        if protocol in PROTOCOLS:
            plain = index if plain is None else plain
        elif protocol in SECURE_PROTOCOLS and security.may:
            slug = "crypto_suite"
        else:
            slug = "secure_media" if "SAVP" in protocol else "media_protocol"
    check_security(security, secure=plain is None)
    if plain is None:
        raise SdpError(488, slug)
    return plain, ()


def _keys(media: MediaDescription, description: SessionDescription) -> tuple[Crypto, ...]:
    attributes = (*media.attributes, *description.attributes)
    return read_crypto(value for name, value in attributes if name == "crypto" and value)


class _Said(msgspec.Struct):
    """The attributes of one stream that we read, gathered in one pass; the first of a kind wins."""

    rtpmaps: dict[str, str] = msgspec.field(default_factory=dict)
    fmtps: dict[str, str] = msgspec.field(default_factory=dict)
    direction: Direction = Direction.SENDRECV
    ptime: int | None = None
    maxptime: int | None = None
    rtcp: str | None = None

    @classmethod
    def of(cls, media: MediaDescription, above: tuple[Attribute, ...]) -> _Said:
        said = cls(direction=_direction(above, Direction.SENDRECV))
        said.direction = _direction(media.attributes, said.direction)
        for name, value in media.attributes:
            if value is None:
                continue
            if name == "rtpmap":
                payload, _, text = value.partition(" ")
                said.rtpmaps.setdefault(payload, text.strip())
            elif name == "fmtp":
                payload, _, text = value.partition(" ")
                said.fmtps.setdefault(payload, text.strip())
            elif name == "ptime" and said.ptime is None:
                said.ptime = _packet_time(value)
            elif name == "maxptime" and said.maxptime is None:
                said.maxptime = _packet_time(value)
            elif name == "rtcp" and said.rtcp is None:
                said.rtcp = value
        return said


_DIRECTIONS = {direction.value: direction for direction in Direction}


def _direction(attributes: tuple[Attribute, ...], default: Direction) -> Direction:
    for name, value in attributes:
        if value is None and name in _DIRECTIONS:
            return _DIRECTIONS[name]
    return default


def _packet_time(value: str) -> int | None:
    """Read whole milliseconds; some phones write `20.0`, some 0."""
    return read_number(value.partition(".")[0].strip(), _MAX_PTIME) or None


def _known_formats(
    numbers: tuple[str, ...], said: _Said
) -> tuple[tuple[Format, ...], dict[int, int]]:
    formats: dict[str, Format] = {}
    events: dict[int, int] = {}
    for text in numbers:
        payload = read_number(text, 127)
        if payload is None:
            continue
        rtpmap = said.rtpmaps.get(text)
        if rtpmap is None:
            known: Codec | int | None = STATIC_PAYLOADS.get(payload)
        else:
            known = _mapped(rtpmap[:_LONGEST], payload)
        if isinstance(known, int):
            events.setdefault(known, payload)
        elif known is not None and known.name not in formats:
            fmtp = said.fmtps.get(text)
            formats[known.name] = Format(known, payload, parse_fmtp(fmtp) if fmtp else {})
    return tuple(formats.values()), events


@lru_cache(maxsize=1024)
def _mapped(rtpmap: str, payload: int) -> Codec | int | None:
    """Return the codec that an rtpmap means, or the clock of telephone-event, or None."""
    encoding, _, rest = rtpmap.partition("/")
    clock_text, _, channels_text = rest.partition("/")
    encoding = encoding.strip()
    clock = read_number(clock_text.strip(), 1_000_000) or 0
    channels = read_number(channels_text.strip(), 255) or 1
    if encoding.lower() == TELEPHONE_EVENT:
        return clock if clock in EVENT_CLOCKS else None
    return codec_mapped(encoding, clock, channels) or _careless(encoding, payload)


def _careless(encoding: str, payload: int) -> Codec | None:
    """Take a static codec by its number when only the clock is wrong: some write G722/16000."""
    codec = STATIC_PAYLOADS.get(payload)
    return codec if codec is not None and codec.name.lower() == encoding.lower() else None


@lru_cache(maxsize=4096)
def _unicast(text: str) -> str:
    """Return the address without the TTL of a c= line, or raise SdpError."""
    try:
        address = ipaddress.ip_address(text.partition("/")[0])
    except ValueError:
        raise SdpError(488, "sdp_address", text[:60]) from None
    if address.version == 6:
        address = address.ipv4_mapped or address
    if address.is_multicast or "%" in text or str(address) == "255.255.255.255":
        raise SdpError(488, "sdp_address", text[:60])
    return str(address)


def _rtcp(value: str | None, address: str, port: int) -> Address:
    """Return where RTCP goes: a=rtcp (RFC 3605), else the next port.

    An a=rtcp that names the RTP port hopes for rtcp-mux, which we do not accept (RFC 5761 §5.1.1).
    """
    default = (address, min(port + 1, 65535))
    if value is None:
        return default
    tokens = value.split()
    number = read_number(tokens[0], 65535) if tokens else None
    if not number or number == port:
        return default
    if len(tokens) != 4:
        return address, number
    try:
        host = _unicast(tokens[3][:_LONGEST])
    except SdpError:
        return default
    return default if host in _NOWHERE else (host, number)


def _wishes(formats: Iterable[Format]) -> dict[str, Fmtp]:
    wished = {entry.codec.name: entry.codec.wished(entry.fmtp) for entry in formats}
    return {name: fmtp for name, fmtp in wished.items() if fmtp}


def _format_attributes(entry: Format) -> Iterable[Attribute]:
    yield Attribute("rtpmap", f"{entry.payload} {entry.codec.rtpmap}")
    if entry.fmtp:
        yield Attribute("fmtp", f"{entry.payload} {format_fmtp(entry.fmtp)}")


def connection_to(address: str) -> Connection:
    """Return the c= line of an address of ours."""
    return Connection("IP6" if ":" in address else "IP4", address)

"""What signalling knows of each codec: names, payload types, clocks and fmtp rules (no numpy).

One row per codec in `_ROWS` is all that a new codec needs on this side; its arrays, by which we
play and mix it, are one row in `codecs.py`. A codec without such a row is relayed only. One whose
library is not installed does not exist for us.

Traps: G.722's RTP clock is 8000 though its audio is 16000 (RFC 3551 §4.5.2). opus is always
written opus/48000/2, whatever it carries (RFC 7587 §7). telephone-event is no codec but a second
format beside one; its clock should be the codec's, and phones offer 8000 beside opus all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final

TELEPHONE_EVENT: Final = "telephone-event"
"""Encoding name of keys sent as RTP (RFC 4733)."""

EVENT_FMTP: Final = "0-15"
"""The events that we take and send: the sixteen DTMF keys (RFC 4733 §2.5.1.1)."""

EVENT_CLOCKS: Final = (8000, 48000)
"""RTP clocks, Hz, that telephone-event may run at."""

EVENT_PAYLOADS: Final = {8000: 101, 48000: 102}
"""The payload type that we give telephone-event, by its clock, when the number is free."""

Fmtp = Mapping[str, str]
"""Parameters of an a=fmtp line, names in lower case, in the order written."""


def _always(_ours: Fmtp, _theirs: Fmtp) -> bool:
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """One way to code sound, as RTP and SDP know it; each exists once and is compared as such."""

    name: str
    """Encoding name as we write it."""
    clock: int
    """RTP clock, Hz: the unit of timestamps."""
    audio_rate: int
    """Samples a second of the sound as a worker decodes it, Hz."""
    channels: int = 1
    """Channels as a=rtpmap writes them; 1 is left out."""
    static_payload: int | None = None
    """The payload type that RFC 3551 §6 reserves, or None."""
    payload: int = 96
    """The payload type that we give it in an offer when the number is free."""
    playable: bool = True
    """Whether a worker has its arrays: can play into it, mix it and code it anew."""
    needs: str | None = None
    """The module with the library that its arrays need, or None."""
    wishes: Mapping[str, range] = field(default_factory=dict)
    """fmtp parameters, by which a receiver tells what it would like, with the values allowed.

    Only these pass from one leg to the other when media is relayed.
    """
    compatible: Callable[[Fmtp, Fmtp], bool] = _always
    """Whether packets made for one side's fmtp can be read by the other."""
    rtpmap: str = field(init=False)
    """The value of a=rtpmap behind the payload type: `opus/48000/2`."""

    def __post_init__(self) -> None:
        channels = "" if self.channels == 1 else f"/{self.channels}"
        object.__setattr__(self, "rtpmap", f"{self.name}/{self.clock}{channels}")

    def wished(self, fmtp: Fmtp) -> dict[str, str]:
        """Return those parameters of `fmtp` that are known wishes with a value in range."""
        return {
            name: value
            for name, value in fmtp.items()
            if name in self.wishes
            and len(value) <= MAX_DIGITS
            and value.isascii()
            and value.isdigit()
            and int(value) in self.wishes[name]
        }


MAX_DIGITS: Final = 10
"""Digits of the longest number that is read."""

_YES_NO = range(2)

_OPUS_WISHES = {  # RFC 7587 §6.1
    "maxplaybackrate": range(8000, 48001),
    "sprop-maxcapturerate": range(8000, 48001),
    "maxaveragebitrate": range(6000, 510_001),
    "minptime": range(3, 121),
    "maxptime": range(3, 121),
    "stereo": _YES_NO,
    "sprop-stereo": _YES_NO,
    "cbr": _YES_NO,
    "useinbandfec": _YES_NO,
    "usedtx": _YES_NO,
}

_ROWS = (
    Codec("PCMU", 8000, 8000, static_payload=0, payload=0),
    Codec("PCMA", 8000, 8000, static_payload=8, payload=8),
    Codec("G722", 8000, 16000, static_payload=9, payload=9, needs="G722"),
    Codec("opus", 48000, 16000, channels=2, payload=96, wishes=_OPUS_WISHES, needs="opuslib_next"),
    Codec("L16", 16000, 16000, payload=97),
)


def usable(rows: Iterable[Codec]) -> tuple[Codec, ...]:
    """Return those of `rows` whose libraries are installed; none is imported for that.

    Codecs without their library are not even relayed: at any time a call may have to be mixed.
    """
    return tuple(row for row in rows if row.needs is None or find_spec(row.needs) is not None)


_USABLE = usable(_ROWS)


def _by_name(rows: tuple[Codec, ...]) -> dict[str, Codec]:
    names = {codec.name: codec for codec in rows}
    if len({name.lower() for name in names}) != len(rows):
        raise ValueError("two codecs have one name")
    return names


CODECS: Final[Mapping[str, Codec]] = _by_name(_USABLE)
"""Every codec that we can speak, by its name."""

STATIC_PAYLOADS: Final[Mapping[int, Codec]] = {
    codec.static_payload: codec for codec in _USABLE if codec.static_payload is not None
}
"""The codec of each payload type that needs no a=rtpmap (RFC 3551 §6)."""

_LOWER = {codec.name.lower(): codec for codec in _USABLE}


def codec_named(name: str) -> Codec | None:
    """Return the codec of that name, whatever its case (callpbx.yaml writes `g722`), or None."""
    return _LOWER.get(name.lower())


def codec_mapped(encoding: str, clock: int, channels: int) -> Codec | None:
    """Return the codec that an a=rtpmap of these three values means, or None."""
    codec = _LOWER.get(encoding.lower())
    if codec is None or codec.clock != clock or codec.channels != channels:
        return None
    return codec


def parse_fmtp(text: str) -> dict[str, str]:
    """Read `name=value; name=value`; parts without `=` get an empty value. Never raises."""
    parameters: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name := name.strip().lower():
            parameters.setdefault(name, value.strip())
    return parameters


def format_fmtp(fmtp: Fmtp) -> str:
    """Write parameters as the value of a=fmtp behind the payload type."""
    return ";".join(f"{name}={value}" if value else name for name, value in fmtp.items())

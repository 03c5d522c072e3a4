"""What all calls share: codecs, music, the voice that speaks, time limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from pbx.call.speaking import Beeps, Speaker
from pbx.media.formats import Capabilities


class HoldMusic(Protocol):
    """What those hear who wait."""

    def __call__(self, name: str | None = None, /) -> str | None:
        """Return the source of hold music: of the folder `name`, or the office's."""


def no_music(_name: str | None = None, /) -> str | None:
    """Return None: nothing is heard."""
    return None


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What all calls share. `capabilities` are our codecs, best first; `media_address` our address
    in descriptions where it is not found out per remote; `hold_music` returns the source that a
    held party hears; `speaker` has a voice. `srtp_over_plain` lets keys of SRTP pass where
    signalling is not encrypted."""

    capabilities: Capabilities
    media_address: str | None = None
    hold_music: HoldMusic = no_music
    speaker: Speaker = field(default_factory=Beeps)
    media_timeout_s: float = 30.0
    hold_timeout_s: float = 300.0
    srtp_over_plain: bool = False

"""Brings the file of a message into shape: one that was cut off, or that ends in a long silence.

Runs in a thread.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final, NamedTuple

from pbx.errors import Refused
from pbx.mailboxes.model import SHORTEST
from pbx.media.recording.repair import repair
from pbx.media.recording.wav import HEADER_SIZE, read_layout

log = logging.getLogger(__name__)

CUT_OFF: Final = "the message was cut off by a crash"


class Kept(NamedTuple):
    """What the file of a message holds; `error` is a sentence where something is wrong with it."""

    seconds: float
    octets: int
    sha256: str | None
    error: str | None


def mended(file: Path) -> Kept | None:
    """Let the file be whole and return what it holds; None for one that is gone, too short to be a
    message, or damaged beyond mending."""
    try:
        found = repair(file)
    except FileNotFoundError:
        return None
    except (OSError, Refused) as error:
        log.warning("the message in %s is lost: %s", file, error)
        return None
    if found is None or found.seconds < SHORTEST:
        return None
    return Kept(round(found.seconds, 3), found.octets, found.sha256, CUT_OFF)


def shortened(file: Path, kept: Kept) -> Kept:
    """Cut what is behind the first `kept.seconds` off the file; return what it holds then.

    A file that cannot be cut stays as it is: the silence at its end harms nobody.
    """
    try:
        _cut(file, kept.seconds)
        found = repair(file)
    except (OSError, Refused) as error:
        log.warning("the silence in %s stays: %s", file, error)
        return kept
    if found is None:
        return kept
    return Kept(round(found.seconds, 3), found.octets, found.sha256, kept.error)


def _cut(file: Path, seconds: float) -> None:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags), "r+b") as opened:
        layout = read_layout(opened.read(HEADER_SIZE))
        if layout is None:
            return
        octets = int(seconds * layout.rate) * layout.block
        if HEADER_SIZE + octets < opened.seek(0, os.SEEK_END):
            opened.seek(0)
            opened.write(layout.header(octets))
            opened.truncate(HEADER_SIZE + octets)

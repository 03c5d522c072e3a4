"""Brings the file of a message that was cut off into shape. Runs in a thread."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, NamedTuple

from pbx.errors import Refused
from pbx.mailboxes.model import SHORTEST
from pbx.media.recording.repair import repair

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

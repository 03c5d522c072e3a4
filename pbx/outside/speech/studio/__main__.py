"""`python -m pbx.outside.speech.studio`: make what is ordered, until the pipe is closed.

An order is one line of JSON, and so is its answer: `{"seconds": 2.1}`, or `{"refused": sentence}`.
Libraries that write to standard output write to the log instead.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from pbx.errors import Refused
from pbx.media.sounds.audio import open_sound
from pbx.outside.speech.studio import espeak, kokoro, mastering, piper, web
from pbx.outside.speech.studio.mastering import Samples
from pbx.outside.speech.studio.order import Order

log = logging.getLogger("studio")

NICE: Final = 10
"""How much sooner others get the processor: a prompt may wait, speech on the line may not."""

ENGINES: Final[dict[str, Callable[[Order], tuple[Samples, int]]]] = {
    "espeak-ng": espeak.speak,
    "http": web.speak,
    "kokoro": kokoro.speak,
    "piper": piper.speak,
}


def make(said: dict[str, Any]) -> float:
    """Make a file; return its seconds. Raises Refused and OSError."""
    if said["make"] == "ready":
        return 0.0
    if said["make"] == "recording":
        samples, rate = mastering.whole(open_sound(said["from"]))
    else:
        samples, rate = ENGINES[said["make"]](Order.of(said))
    return mastering.write(Path(said["path"]), mastering.mastered(samples, rate))


def answer(said: dict[str, Any]) -> dict[str, Any]:
    """Make a file; return what is answered. The fence: whatever an engine raises costs that file
    alone."""
    try:
        return {"seconds": round(make(said), 3)}
    except Refused as refused:
        return {"refused": str(refused)}
    except Exception as error:
        log.exception("%s failed", said.get("make"))
        return {"refused": f"{type(error).__name__}: {error}"}


def main(orders: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more orders."""
    for line in orders:
        answers.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    with suppress(OSError):
        os.nice(NICE)
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(BrokenPipeError):  # who gave the orders has gone
        main(sys.stdin.buffer, pipe)

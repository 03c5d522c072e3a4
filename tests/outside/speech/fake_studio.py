"""A studio for tests: answers as the real one does, and makes files without any engine.

Run with the file in which it notes each order. What it does is in the words: FAIL is refused, DIE
ends it, HANG never answers, anything else is a short sound. The words `gate:PATH` wait until that
file is there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import wave
from pathlib import Path


def make(order: dict[str, str]) -> dict[str, object]:
    if order.get("make") == "ready":
        return {"seconds": 0.0}
    words = order.get("words", "")
    if "FAIL" in words:
        return {"refused": "the voice is hoarse"}
    if "DIE" in words:
        os.kill(os.getpid(), signal.SIGKILL)
    if "HANG" in words:
        signal.pause()
    while words.startswith("gate:") and not Path(words[5:]).exists():
        time.sleep(0.001)
    with wave.open(order["path"], "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(3200))
    return {"seconds": 0.1}


if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        with Path(sys.argv[1]).open("a") as notes:
            notes.write(line)
        print(json.dumps(make(order)), flush=True)

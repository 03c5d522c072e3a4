"""What a caller hears of a dialplan, each prompt of which is a tone (see pbx/demo/prompts.py).

`Caller` is a phone in a call that tells which it heard, in order.
"""

from __future__ import annotations

import time

from pbx.demo.prompts import Marks, find_in_order, marked_prompts, said
from pbx.demo.tones import heard
from tests.kit.phones.pjsua import SoftCall
from tests.kit.phones.talker import Talker

__all__ = ["Caller", "Marks", "marked_prompts"]


class Caller:
    """A phone in a call to the office, listening for prompts."""

    def __init__(self, call: SoftCall, marks: Marks, *, hz: int = 0) -> None:
        self.call = call
        self._marks = marks
        self._ear = Talker(call, hz)
        self._from = 0.0

    def hears(self, *names: str, within: float = 8.0) -> None:
        """Wait until these prompts were heard, one right after the other, since the last ones."""
        deadline = time.monotonic() + within
        while True:
            found = said(self._ear.since(self._from), self._marks)
            last = find_in_order(found, names)
            if last is not None:
                self._from += last.end_s
                return
            what = [each.name for each in found]
            assert time.monotonic() < deadline, f"heard {what} instead of {list(names)}"
            time.sleep(0.1)

    def hears_tone(self, hz: int, *, within: float = 8.0) -> None:
        """Wait until a tone that is no prompt was heard for half a second."""
        deadline = time.monotonic() + within
        while True:
            sound = self._ear.since(self._from)
            last = sound.part(max(0.0, sound.seconds - 0.5))
            if sound.seconds > 0.5 and heard(last, (hz, hz + 200)) == {hz}:
                return
            assert time.monotonic() < deadline, f"{hz} Hz was not heard"
            time.sleep(0.1)

    def heard_so_far(self) -> set[str]:
        """Return every prompt that was heard since the beginning."""
        return {each.name for each in said(self._ear.since(0.0), self._marks)}

    def presses(self, keys: str, *, method: str = "rfc4733") -> None:
        """Press keys; what was said before does not count any more."""
        self._from = self._ear.mark()
        if method == "info":
            for key in keys:
                self.call.press(key, method="info")
                time.sleep(0.15)
        else:
            self.call.press(keys, method=method)

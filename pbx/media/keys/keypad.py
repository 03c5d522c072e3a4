"""What becomes of the keys that one leg presses, whichever way they came.

Every key is reported. Those that may begin one of the leg's codes wait (codes.py); a code that
completes is reported and ends there. All others go on to whoever hears the leg, unless that has
happened already: a relay passes telephone-events on packet by packet while the key is down, and a
tone is in the sound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal

from pbx.media.keys.codes import CodeMatcher, Completed, Verdict
from pbx.media.protocol import AnyWorkerEvent, CodeHeard, DigitHeard

SAME_KEY: Final = 0.3
"""Seconds after a telephone-event in which a tone of the same key is the same key: some phones send
both, and the tone is heard later, behind the jitter buffer."""

KeySource = Literal["rfc4733", "inband"]
"""How a key came: as a telephone-event, or as a pair of tones."""

PassOn = Callable[[str, KeySource, float], None]
"""Lets whoever hears the leg hear a key that came that way; the time is now."""


class Keypad:
    """The keys of one leg.

    `on_down` is called when a key goes down, long before it is known to be over. `wake(when, call)`
    calls `call` at a time: withheld keys go on after a second, though nothing else happens.
    """

    __slots__ = (
        "_leg",
        "_matcher",
        "_on_down",
        "_pass_on",
        "_report",
        "_told",
        "_told_at",
        "_waiting",
        "_wake",
        "_woken_at",
    )

    def __init__(
        self,
        leg: int,
        *,
        report: Callable[[AnyWorkerEvent], None],
        on_down: Callable[[], None],
        pass_on: PassOn,
        wake: Callable[[float, Callable[[float], None]], object],
    ) -> None:
        self._leg = leg
        self._report = report
        self._on_down = on_down
        self._pass_on = pass_on
        self._wake = wake
        self._woken_at: float | None = None
        self._told = ""
        """The last key that came as a telephone-event, and when."""
        self._told_at = 0.0
        self._matcher = CodeMatcher(())
        self._waiting: deque[tuple[KeySource, bool]] = deque()
        """How each withheld key came, and whether it was heard already."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes that the party may key, sorted."""
        return self._matcher.codes

    def set_codes(self, codes: Iterable[str], now: float) -> None:
        """Say what the party may key from now on; what is withheld is decided first."""
        self.finish(now)
        self._matcher = CodeMatcher(codes)

    def withholds(self, digit: str) -> bool:
        """Return whether a key that goes down now must wait for what becomes of it."""
        return self._matcher.withholds(digit)

    def go_down(self) -> None:
        """Take note that a key has gone down."""
        self._on_down()

    def hear(
        self, digit: str, duration_ms: int, source: KeySource, *, heard: bool, now: float
    ) -> None:
        """Take a key that was let go. `heard` says that it went on already."""
        if source == "inband" and digit == self._told and now - self._told_at < SAME_KEY:
            return
        if source == "rfc4733":
            self._told, self._told_at = digit, now
        self._report(DigitHeard(self._leg, digit, duration_ms, source))
        self._carry_out(self._matcher.expire(now), now)
        self._waiting.append((source, heard))
        self._carry_out(self._matcher.key(digit, now), now)
        self._wake_when_due()

    def finish(self, now: float) -> None:
        """Decide about all that is withheld."""
        self._carry_out(self._matcher.finish(), now)

    def _expire(self, now: float) -> None:
        self._woken_at = None
        self._carry_out(self._matcher.expire(now), now)
        self._wake_when_due()

    def _wake_when_due(self) -> None:
        due = self._matcher.due
        if due is not None and self._woken_at is None:
            self._woken_at = due
            self._wake(due, self._expire)

    def _carry_out(self, verdicts: list[Verdict], now: float) -> None:
        for verdict in verdicts:
            if isinstance(verdict, Completed):
                for _ in verdict.code:
                    self._waiting.popleft()
                self._report(CodeHeard(self._leg, verdict.code))
            else:
                source, heard = self._waiting.popleft()
                if not heard:
                    self._pass_on(verdict.digit, source, now)

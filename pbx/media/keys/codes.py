"""Codes that a party may key in the middle of a call: `*1`, `*2`, `##`.

A key that may begin a code is withheld from whoever hears the leg. When a code completes, nobody
hears its keys; when it cannot complete any more, or the oldest withheld key has waited for a
second, the keys are passed on in the order in which they came. Where one code begins another (`*1`
and `*12`) the longer one wins if it completes in time. No key is ever lost, invented or overtaken:
what comes out, put together, is what went in.

Pure: `now` is in monotonic seconds. Who withholds and sends on is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WITHHELD: Final = 1.0
"""Seconds that a key is withheld at most."""


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A key that belongs to no code: whoever hears the leg is to hear it now."""

    digit: str


@dataclass(frozen=True, slots=True)
class Completed:
    """A code was keyed; none of its keys is passed on."""

    code: str


Verdict = PassedOn | Completed
"""What became of a key, or of several that make a code."""


class CodeMatcher:
    """Decides about each key of one leg. `codes` are strings of digits, `*`, `#`, A–D."""

    __slots__ = ("_beginnings", "_codes", "_since", "withheld")

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = frozenset(filter(None, codes))
        self._beginnings = frozenset(
            code[:length] for code in self._codes for length in range(1, len(code))
        )
        """What a code may go on from: all proper prefixes."""
        self.withheld = ""
        """The keys that wait, the oldest first."""
        self._since: list[float] = []

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes, sorted."""
        return tuple(sorted(self._codes))

    @property
    def due(self) -> float | None:
        """Return when `expire` has something to do, or None while nothing is withheld."""
        return self._since[0] + WITHHELD if self._since else None

    def withholds(self, digit: str) -> bool:
        """Return whether this key would be withheld, or end a code, if it were pressed now.

        Others need not wait for the end of the key: they are passed on while it is down.
        """
        return bool(self.withheld) or digit in self._beginnings or digit in self._codes

    def key(self, digit: str, now: float) -> list[Verdict]:
        """Take a key that was pressed; return what is decided by it, in order."""
        verdicts = self.expire(now)
        self.withheld += digit
        self._since.append(now)
        return verdicts + self._decide()

    def expire(self, now: float) -> list[Verdict]:
        """Return what is decided because it waited for a second."""
        verdicts: list[Verdict] = []
        while self._since and now >= self._since[0] + WITHHELD:
            verdicts.append(self._decide_first())
            verdicts += self._decide()
        return verdicts

    def finish(self) -> list[Verdict]:
        """Return all that is withheld, decided: the codes change, or the leg leaves."""
        verdicts: list[Verdict] = []
        while self.withheld:
            verdicts.append(self._decide_first())
        return verdicts

    def _decide(self) -> list[Verdict]:
        """Decide as long as no further key could change it."""
        verdicts: list[Verdict] = []
        while self.withheld and self.withheld not in self._beginnings:
            verdicts.append(self._decide_first())
        return verdicts

    def _decide_first(self) -> Verdict:
        """Take the longest code that the withheld keys begin with, else their first key."""
        keys = self.withheld
        for length in range(len(keys), 0, -1):
            if keys[:length] in self._codes:
                self._drop(length)
                return Completed(keys[:length])
        self._drop(1)
        return PassedOn(keys[0])

    def _drop(self, length: int) -> None:
        self.withheld = self.withheld[length:]
        del self._since[:length]

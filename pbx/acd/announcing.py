"""What a waiting caller is told: the place in the queue, how long it may take, the queue's prompt.

The place is told at entry and then at the queue's pace, but only what is better than what was told
last: nobody is told that it got worse, nor how long it takes while that is anybody's guess. A wait
is a range in whole minutes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pbx.acd.model import Estimate
from pbx.call.prompts import prompt_saying
from pbx.plan.text import Insert, Text
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying
from pbx.speech.values import spoken

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.plan.model import Queue

SHORTEST_GAP: Final = 15.0
"""Seconds between two announcements of the place, at least."""


@dataclass(slots=True)
class Told:
    """What a caller knows: how many are before it, and after how many minutes it is answered."""

    ahead: int | None = None
    minutes: int | None = None

    def news(self, ahead: int, estimate: Estimate | None, language: str) -> tuple[Saying, ...]:
        """Return what is to be said now, and count it as told; nothing where nothing is better."""
        said: list[Saying] = []
        first, nearer = self.ahead is None, self.ahead is not None and ahead < self.ahead
        further = self.ahead is not None and ahead > self.ahead
        sooner = estimate is not None and not further and self._is_sooner(estimate)
        if first or nearer or sooner:
            said.append(_place(ahead, language))
            self.ahead = ahead
        if estimate is not None and sooner:
            said.append(_wait(estimate, language))
            self.minutes = _at_most(estimate)
        return tuple(said)

    def _is_sooner(self, estimate: Estimate) -> bool:
        return self.minutes is None or _at_most(estimate) < self.minutes


@dataclass(slots=True)
class Due:
    """When something is to be said next, in monotonic seconds; infinity for never."""

    place: float = math.inf
    prompt: float = math.inf
    offer: float = math.inf

    @classmethod
    def of(cls, queue: Queue, now: float) -> Due:
        """Return what is due for a caller who enters a queue now."""
        due = cls()
        if queue.position_every_s is not None:
            due.place = now
        if queue.announce is not None:
            due.prompt = now + queue.announce_every_s
        if queue.offer_after_s is not None and queue.offer_menu is not None:
            due.offer = now + queue.offer_after_s
        return due

    @property
    def next(self) -> float:
        """Return when the first of them is."""
        return min(self.place, self.prompt, self.offer)


def gap(queue: Queue) -> float:
    """Return the seconds between two announcements of the place."""
    return max(SHORTEST_GAP, queue.position_every_s or SHORTEST_GAP)


def prompt_of(call: Call, name: str, language: str, values: Mapping[str, str]) -> Saying | None:
    """Return what the prompt `name` of the plan says with these values; None: there is none."""
    prompt = call.plan.prompts.get(name)

    def words(text: Text, language: str) -> str:
        return "".join(_said(part, values, language) for part in text.parts)

    return None if prompt is None else prompt_saying(prompt, language, words)


def whisper(call: Call, queue: Queue) -> Saying:
    """Return what an agent hears before the caller: the prompt that is named like the queue, else
    the queue's name."""
    language = call.plan.defaults.language
    own = prompt_of(call, queue.name, language, {})
    return own or phrase("queue-call", language, queue=queue.name)


def _said(part: str | Insert, values: Mapping[str, str], language: str) -> str:
    if isinstance(part, str):
        return part
    return spoken(part.value(values), part.format, language)


def _place(ahead: int, language: str) -> Saying:
    if not ahead:
        return phrase("queue-next", language)
    return phrase("queue-position", language, position=str(ahead + 1))


def _wait(estimate: Estimate, language: str) -> Saying:
    low, high = math.floor(estimate.low_s / 60), _at_most(estimate)
    if not 1 <= low < high:
        return phrase("queue-wait-under", language, high=str(high))
    return phrase("queue-wait-range", language, low=str(low), high=str(high))


def _at_most(estimate: Estimate) -> int:
    return max(1, math.ceil(estimate.high_s / 60))

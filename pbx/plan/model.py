"""The dialplan as loaded: plain frozen values that routing asks.

This version knows which number starts where (`numbers`, with `anything_else` for calls from
carriers) and the conference rooms; menus, hours, queues and the rest of the format follow. The
directory is no part of a plan: whether `ext:101` exists is asked when a call goes there, so that
phones can be added without touching the dialplan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

INTERNATIONAL_PREFIX = "00"
E164_DIGITS = range(8, 16)  # a number with its country code; ITU-T E.164 allows at most 15


@dataclass(frozen=True, slots=True)
class Destination:
    """A place a call can go to, written `kind:name`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class NumberRoute:
    """One line of `numbers`. `line` is where it stands in the file."""

    number: str
    destination: Destination
    line: int


@dataclass(frozen=True, slots=True)
class Conference:
    """One line of `conferences`: a room, by the number that is dialled.

    `most` members at once; `pin` asks for one (`callpbx conference set` keeps it); `record` all of
    it; members wait with music `wait_for_moderator`; all leave with the last one where it is to
    `end_with_moderator`; `tones` tell that somebody comes or goes, `announce_names` who; `gated`
    passes on only who talks.
    """

    room: str
    most: int = 50
    record: bool = False
    wait_for_moderator: bool = False
    end_with_moderator: bool = False
    pin: bool = False
    tones: bool = True
    announce_names: bool = False
    gated: bool = True
    line: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of the dialplan. `version_id` is a short hash of its text."""

    version_id: str
    numbers: Mapping[str, NumberRoute] = field(default_factory=dict)
    other: NumberRoute | None = None
    conferences: Mapping[str, Conference] = field(default_factory=dict)

    def destination(self, number: str) -> Destination | None:
        """Return what `numbers` says of exactly this number."""
        route = self.numbers.get(number)
        return route.destination if route else None

    def inbound(self, number: str) -> Destination | None:
        """Return where a carrier's call to `number` goes, `anything_else` included.

        Carriers write one international number as +852…, 00852… or 852…; all of them find it.
        """
        named = self.destination(number)
        if named is not None:
            return named
        spelling = spelling_of(number)
        if spelling != number and spelling in self.numbers:
            return self.numbers[spelling].destination
        for route in self.numbers.values():
            if spelling_of(route.number) == spelling:
                return route.destination
        return self.anything_else()

    def conference(self, room: str) -> Conference | None:
        """Return the rules of a conference room."""
        return self.conferences.get(room)

    def anything_else(self) -> Destination | None:
        """Return where calls from carriers go whose number is not named."""
        return self.other.destination if self.other else None


def spelling_of(number: str) -> str:
    """Return one spelling for all ways to write an international number: digits alone.

    Short numbers stay as they are: 00 before them is no international prefix.
    """
    found = re.fullmatch(rf"(?:\+|{INTERNATIONAL_PREFIX})([1-9][0-9]*)", number)
    return found[1] if found and len(found[1]) in E164_DIGITS else number

"""What happens when a party of a call is handed on to somebody else."""

from __future__ import annotations

from typing import Literal

from pbx.events.event import Event, LegRole


class TransferStarted(Event, frozen=True, kw_only=True, tag=True):
    """The party on `leg` (number `by`) wants the other party to talk to `to`; None as the leg: an
    administrator does."""

    leg: int | None = None
    by: str = ""
    to: str
    kind: Literal["blind", "attended"]


class TransferEnded(Event, frozen=True, kw_only=True, tag=True):
    """What became of it: `completed`, `recalled` (back to who began it), `busy`, `no_answer`,
    `rejected`, `unavailable`, `failed`, `cancelled`, `three_way` (nobody leaves)."""

    leg: int | None = None
    to: str
    result: str


class CallerChanged(Event, frozen=True, kw_only=True, tag=True):
    """The call is that of the party on `leg` from now on: the caller has handed it on."""

    leg: int


class LegBrought(Event, frozen=True, kw_only=True, tag=True):
    """An answered leg came from the call `from_call` into this one, which goes on with it."""

    leg: int
    role: LegRole
    number: str
    from_call: str
    trunk: str | None = None


class CallJoined(Event, frozen=True, kw_only=True, tag=True):
    """The call went on as part of the call `into`; its last event, and no record is made of it."""

    into: str

"""Attended transfers by a phone's own keys: its two calls become one.

A phone has two calls with us and refers the party of one to the other (REFER with
Replaces). The party of the second call comes into the first, whose record, recording and id go on.
A second call that the phone made itself only existed for this and is joined to the first; one that
somebody else made to the phone ends with a record of its own. Where nobody talks in the second call
yet, it is joined all the same and the party goes to the number that was called there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pbx.call.handing import Turn
from pbx.call.joining import part, rejoin
from pbx.call.outcome import NORMAL_CLEARING, Ending, Outcome
from pbx.call.transfer import Report, Transfer, hand_on, target_of
from pbx.events import LegBrought
from pbx.plan.destination import Destination

if TYPE_CHECKING:
    from pbx.call.leg import Leg


def refusal(leg: Leg, second: Leg | None) -> int | None:
    """Return the status that refuses to join a leg's party with the dialog of `second`; None where
    the two are one extension's and there is somebody, or some number, behind the second."""
    if second is None or second is leg or second.ending is not None:
        return 481
    if second.number != leg.number or not second.is_extension or second.call is leg.call:
        return 403
    if talks(second):
        return None
    on_its_way = second is second.call.caller_leg and second.other is None
    return None if on_its_way and target_of(leg.call, second.call.called) is not None else 481


def bring(leg: Leg, second: Leg, report: Report) -> None:
    """Join the party of `leg` with that of `second`, both of them one phone's."""
    call, before = leg.call, second.call
    if not talks(second):
        _follow(leg, second, report)
        return
    brought = second.other
    assert brought is not None
    to = brought.number
    place = Destination("ext", to)
    transfer = Transfer(part(leg), leg, to, place, kind="attended", report=report)
    transfer.begin()
    second.other = brought.other = None
    brought.media.stop_music()
    own = second is before.caller_leg
    brought.move(call)
    for recording in call.exchange.recordings.of(before.bridge):
        recording.name_in(call)
    call.emit(
        LegBrought(
            call=call.id,
            leg=brought.id,
            role=brought.role,
            number=brought.number,
            from_call=before.id,
            trunk=brought.trunk,
        )
    )
    if own:
        before.join(call)
    else:
        before.end(Ending("answered", "transferred", 200, NORMAL_CLEARING, "called"))
    call.handing.wish(now_with(brought))
    call.handing.reached = transfer.completed
    rejoin(transfer.party, brought)


def _follow(leg: Leg, second: Leg, report: Report) -> None:
    """Let the party of `leg` go where the phone's second call is on its way to."""
    call, before = leg.call, second.call
    to = before.called
    place = target_of(call, to)
    assert place is not None
    before.join(call)
    transfer = Transfer(part(leg), leg, to, place, report=report)
    transfer.begin()
    call.handing.wish(partial(hand_on, transfer))


def now_with(leg: Leg) -> Turn:
    """Return the turn after which the call's party talks to `leg`."""

    async def turn() -> Leg | Outcome:
        return leg

    return turn


def talks(leg: Leg) -> bool:
    """Tell whether a party talks to another, and nothing is happening to that."""
    other = leg.other
    return leg.up and other is not None and other.up and leg.call.handing.ready

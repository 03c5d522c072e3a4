"""How the events of a call become its record: `fold(call, stamped) → call`, pure.

At each moment a call is in one phase, or in none (phases.py): talking while two of its legs are
bridged, held while one of those holds, waiting in a queue, ringing while a called leg has neither
answered nor ended. One phase covers another, so no second is counted twice, and wait, ring, talk
and hold never add up to more than the duration. Menus and mailboxes are visits (visits.py), which
cover nothing. Time is the monotonic clock's, in whole milliseconds since the call began; the wall
clock is read once, at the start.

The steps below are the whole meaning of the events for the record; an event without one changes
nothing. No sequence of events, however absurd, raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from pbx import events
from pbx.cdr.amend import AMENDMENTS
from pbx.cdr.handing_on import HANDED_ON, end_transfer, leaving_of
from pbx.cdr.offers import OFFERS, phone_answered
from pbx.cdr.open_call import OpenCall, Party, Span, Tape, Watch
from pbx.cdr.phases import apart, ring_result, settle, stop_ringing, without
from pbx.cdr.visits import VISITS, end_visits, reached
from pbx.events import CallEnded, CallStarted, Event
from pbx.events.bus import Stamped

INTERRUPTED_CAUSE = 41  # Q.850: temporary failure
INTERRUPTED_REASON = "server_died"


def fold(call: OpenCall | None, stamped: Stamped) -> OpenCall | None:
    """Return the call with one more event; the argument stays as it is.

    None is a call of which nothing is known: only its CallStarted makes it one. After CallEnded
    only what amends a record (amend.py) changes anything.
    """
    return fold_all((stamped,), call)


def fold_all(stream: Iterable[Stamped], call: OpenCall | None = None) -> OpenCall | None:
    """Return the call with a whole stretch of its events; the argument stays as it is."""
    changed = None if call is None else replace(call)
    for stamped in stream:
        if changed is None:
            changed = _begin(stamped)
        elif changed.ending is None:
            _advance(changed, stamped)
        elif type(stamped.event) in AMENDMENTS:
            changed.later = (*changed.later, stamped.event)
    return changed


def interruption(call: OpenCall, *, seq: int, at: float, monotonic: float) -> Stamped:
    """Return the end of a call whose server died; the times are the last that are known."""
    return Stamped(
        seq,
        at,
        monotonic,
        CallEnded(
            call=call.id,
            result="interrupted",
            reason=INTERRUPTED_REASON,
            cause=INTERRUPTED_CAUSE,
            sip_status=200 if call.caller_answered is not None else 0,
            ended_by="system",
        ),
    )


def _begin(stamped: Stamped) -> OpenCall | None:
    event = stamped.event
    if not isinstance(event, CallStarted):
        return None
    return OpenCall(
        started=event,
        seq=stamped.seq,
        started_ms=round(stamped.at * 1000),
        monotonic=stamped.monotonic,
    )


def _advance(call: OpenCall, stamped: Stamped) -> None:
    event = stamped.event
    step = _STEPS.get(type(event))
    if step is None:
        return
    now = round((stamped.monotonic - call.monotonic) * 1000)
    if now > call.now:
        call.now = now
    step(call, event)


# -- one step per event ----------------------------------------------------------------------------


def _routed(call: OpenCall, event: events.CallRouted) -> None:
    call.path = (*call.path, event.destination)


def _invited(call: OpenCall, event: events.LegInvited) -> None:
    leg = event.leg
    if leg in call.parties:
        return
    call.parties = {**call.parties, leg: Party(event.role, event.number, event.trunk is not None)}
    call.live = (*call.live, leg)
    if event.role == "caller":
        call.caller_leg = leg
        call.caller_over = None
        call.origin = leg if call.origin is None else call.origin
    if event.role != "called":
        return
    call.rung = (*call.rung, leg)
    if all(ring.number != event.number for ring in call.rings):
        call.rings = (*call.rings, Span("ring", event.number, call.now))
    settle(call)


def _answered(call: OpenCall, event: events.LegAnswered) -> None:
    leg = event.leg
    if leg not in call.live or leg in call.answered_legs:
        return
    call.answered_legs = (*call.answered_legs, leg)
    if call.parties[leg].role == "caller" and call.caller_answered is None:
        call.caller_leg = leg  # of several phones that were rung for whoever calls
        call.caller_over = None
    if leg == call.caller_leg:
        call.caller_answered = call.now
        call.answered_by_us = bool(call.path)
    if call.offers:
        phone_answered(call, call.parties[leg].number)
    if call.parties[leg].role != "called":
        return
    call.rung = without(leg, call.rung)
    stop_ringing(call, call.parties[leg].number, "answered")
    settle(call)


def _bridged(call: OpenCall, event: events.Bridged) -> None:
    one, other = event.leg, event.other
    if one not in call.live or other not in call.live:
        return
    call.bridges = (*apart(other, apart(one, call.bridges)), (one, other))
    reached(call)
    settle(call)


def _hold_started(call: OpenCall, event: events.HoldStarted) -> None:
    if event.leg in call.live and event.leg not in call.holding:
        call.holding = (*call.holding, event.leg)
        settle(call)


def _hold_ended(call: OpenCall, event: events.HoldEnded) -> None:
    call.holding = without(event.leg, call.holding)
    settle(call)


def _supervisor_joined(call: OpenCall, event: events.SupervisorJoined) -> None:
    watch = Watch(event.supervisor, event.mode, call.now, leg=event.leg)
    call.watching = (*call.watching, watch)


def _supervisor_changed(call: OpenCall, event: events.SupervisorChanged) -> None:
    for watch in call.watching:
        if watch.leg == event.leg:
            _watched(call, watch)
            again = Watch(watch.by, event.mode, call.now, leg=watch.leg)
            call.watching = (*call.watching, again)
            return


def _supervisor_left(call: OpenCall, event: events.SupervisorLeft) -> None:
    for watch in call.watching:
        if watch.leg == event.leg:
            _watched(call, watch)


def _released(call: OpenCall, event: events.PartyReleased) -> None:
    done = Watch(event.by, f"release:{event.mode}", call.now, call.now)
    call.watched = (*call.watched, done)


def _watched(call: OpenCall, watch: Watch) -> None:
    call.watching = tuple([other for other in call.watching if other is not watch])
    call.watched = (*call.watched, Watch(watch.by, watch.mode, watch.start, call.now))


def _conference_joined(call: OpenCall, event: events.ConferenceJoined) -> None:
    if event.leg in call.live:
        call.room = event.room
        reached(call)
        settle(call)


def _conference_left(call: OpenCall, event: events.ConferenceLeft) -> None:
    call.room = ""
    settle(call)


def _recording_started(call: OpenCall, event: events.RecordingStarted) -> None:
    if all(tape.id != event.recording for tape in call.tapes):
        call.tapes = (*call.tapes, Tape(event.recording, call.now))


def _recording_ended(call: OpenCall, event: events.RecordingEnded) -> None:
    call.tapes = tuple(
        [
            Tape(tape.id, tape.start, event.seconds, event.sha256, event.error)
            if tape.id == event.recording
            else tape
            for tape in call.tapes
        ]
    )


def _leg_ended(call: OpenCall, event: events.LegEnded) -> None:
    leg = event.leg
    if leg not in call.live:
        return
    call.live = without(leg, call.live)
    if leg == call.caller_leg:
        call.room = ""
        call.caller_over = call.now
    call.last_leg_over = call.now
    if call.holding:
        call.holding = without(leg, call.holding)
    if call.bridges:
        call.bridges = apart(leg, call.bridges)
    if leg in call.rung:
        call.rung = without(leg, call.rung)
        number = call.parties[leg].number
        if all(call.parties[other].number != number for other in call.rung):
            stop_ringing(call, number, ring_result(call, event))
    settle(call, leaving=leaving_of(call, leg))


def _measured(call: OpenCall, event: events.LegQuality) -> None:
    received, sent = event.received, event.sent
    if event.leg in call.answered_legs or received.packets or sent.packets:
        call.quality = (*call.quality, received, sent)


def _joined(call: OpenCall, event: events.CallJoined) -> None:
    call.joined = event.into


def _ended(call: OpenCall, event: CallEnded) -> None:
    # The call is over for people when its last leg is; the figures of its media come later.
    call.ended = call.now if call.live or not call.parties else call.last_leg_over
    interrupted = event.result == "interrupted"
    if call.answered is None and _was_answered(call, event):
        call.answered = call.caller_answered
    for ring in call.rings:
        stop_ringing(call, ring.number, "interrupted" if interrupted else "cancelled")
    for watch in call.watching:
        _watched(call, watch)
    call.live = call.rung = call.bridges = ()
    call.room = ""
    leaving = "interrupted" if interrupted else "ended"
    end_visits(call, leaving)
    end_transfer(call, leaving)
    settle(call, leaving=leaving)
    call.ending = event


def _was_answered(call: OpenCall, event: CallEnded) -> bool:
    """Tell whether the caller's 200 was an answer: music in a queue is none."""
    if event.result in ("answered", "voicemail", "interrupted"):
        return True
    return call.answered_by_us and call.queue is None


_STEPS: dict[type[Event], Callable[[OpenCall, Any], None]] = {
    events.CallRouted: _routed,
    events.LegInvited: _invited,
    events.LegAnswered: _answered,
    events.Bridged: _bridged,
    events.HoldStarted: _hold_started,
    events.HoldEnded: _hold_ended,
    events.SupervisorJoined: _supervisor_joined,
    events.SupervisorChanged: _supervisor_changed,
    events.SupervisorLeft: _supervisor_left,
    events.PartyReleased: _released,
    events.ConferenceJoined: _conference_joined,
    events.ConferenceLeft: _conference_left,
    events.RecordingStarted: _recording_started,
    events.RecordingEnded: _recording_ended,
    events.LegEnded: _leg_ended,
    events.LegQuality: _measured,
    events.CallJoined: _joined,
    events.CallEnded: _ended,
    **VISITS,
    **OFFERS,
    **HANDED_ON,
}

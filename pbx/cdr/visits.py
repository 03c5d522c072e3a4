"""Where a caller was besides with people: menus, queues, mailboxes, surveys; and tags on the way.

A visit is a segment of its own. Menus and mailboxes cover no phase: the time in them is part of no
seconds but the duration. Waiting in a queue is a phase (phases.py). What a caller chose in a menu
is the third part of its station in the path: `menu:main:2`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pbx import events
from pbx.cdr.open_call import OpenCall, Span
from pbx.cdr.phases import settle
from pbx.cdr.record import Surveyed
from pbx.events import Event

LEFT: Final = "left"
"""The result of a menu that the caller came out of without a choice."""

ABANDONED: Final = "abandoned"
"""The result of a queue in which the caller still waited when the call ended."""

ANSWERED: Final = "answered"
"""The result of a queue in which an agent came."""

NO_MESSAGE: Final = "no_message"


def reached(call: OpenCall) -> None:
    """Note that the caller has somebody or something before it: the call counts as answered.

    It was when the caller got its 200; who clicked to dial answered itself, and is answered now.
    """
    if call.answered is None and call.caller_answered is not None:
        call.answered = call.caller_answered if call.answered_by_us else call.now


def end_visits(call: OpenCall, result: str) -> None:
    """Close what is still open when the call ends."""
    _menu_over(call, result)
    _queue_over(call, ABANDONED if result == "ended" else result)
    _box_over(call, result)


def _menu_entered(call: OpenCall, event: events.MenuEntered) -> None:
    if _caller_is_there(call):
        _menu_over(call, LEFT)
        call.menu_visit = Span("menu", event.menu, call.now)
        call.path = (*call.path, f"menu:{event.menu}")
        reached(call)


def _menu_left(call: OpenCall, event: events.MenuLeft) -> None:
    if call.menu_visit is None or call.menu_visit.number != event.menu:
        return
    station = f"menu:{event.menu}"
    place = len(call.path) - 1 - call.path[::-1].index(station)
    call.path = (*call.path[:place], f"{station}:{event.choice}", *call.path[place + 1 :])
    _menu_over(call, event.choice)


def _menu_over(call: OpenCall, result: str) -> None:
    _close(call, call.menu_visit, result)
    call.menu_visit = None


def _queue_entered(call: OpenCall, event: events.QueueEntered) -> None:
    if _caller_is_there(call):
        _queue_over(call, LEFT)
        call.queue = event.queue
        call.queue_visit = Span("queue", event.queue, call.now)
        settle(call)


def _queue_left(call: OpenCall, event: events.QueueLeft) -> None:
    if call.queue_visit is not None and call.queue_visit.number == event.queue:
        if event.result == ANSWERED:
            _menu_over(call, LEFT)  # one that the queue offered: an agent was there before a choice
        _queue_over(call, event.result)
        settle(call)


def _queue_over(call: OpenCall, result: str) -> None:
    _close(call, call.queue_visit, result)
    call.queue_visit = None


def _voicemail_entered(call: OpenCall, event: events.VoicemailEntered) -> None:
    if _caller_is_there(call):
        _box_over(call, NO_MESSAGE)
        call.box_visit = Span("voicemail", event.box, call.now)
        reached(call)


def _voicemail_left(call: OpenCall, event: events.VoicemailLeft) -> None:
    if call.box_visit is not None and call.box_visit.number == event.box:
        _box_over(call, event.message or NO_MESSAGE)


def _box_over(call: OpenCall, result: str) -> None:
    _close(call, call.box_visit, result)
    call.box_visit = None


def _caller_is_there(call: OpenCall) -> bool:
    return call.caller_leg in call.live


def _close(call: OpenCall, visit: Span | None, result: str) -> None:
    """Close a visit: now, or when the caller left; a message may be known a moment later."""
    if visit is not None:
        end = call.now if call.caller_over is None else call.caller_over
        call.closed = (*call.closed, visit.over(max(visit.start, end), result))


def _tagged(call: OpenCall, event: events.CallTagged) -> None:
    if event.tag not in call.tags:
        call.tags = (*call.tags, event.tag)


def _survey_asked(call: OpenCall, event: events.SurveyAsked) -> None:
    reached(call)
    if call.survey is None or call.survey.key is None:
        call.survey = Surveyed(name=event.survey)


def _survey_answered(call: OpenCall, event: events.SurveyAnswered) -> None:
    call.survey = Surveyed(name=event.survey, key=event.key, meaning=event.meaning)


VISITS: Final[Mapping[type[Event], Callable[[OpenCall, Any], None]]] = {
    events.MenuEntered: _menu_entered,
    events.MenuLeft: _menu_left,
    events.QueueEntered: _queue_entered,
    events.QueueLeft: _queue_left,
    events.VoicemailEntered: _voicemail_entered,
    events.VoicemailLeft: _voicemail_left,
    events.CallTagged: _tagged,
    events.SurveyAsked: _survey_asked,
    events.SurveyAnswered: _survey_answered,
}
"""One step per event; fold.py adds them to its own."""

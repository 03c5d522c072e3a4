"""What happened in the call centre, one sentence an event."""

from __future__ import annotations

from pbx import events
from pbx.sentences.words import (
    DECLINED,
    LEFT,
    STATES,
    TRANSFERRED,
    counted,
    length,
    listed,
    with_skills,
)

CentreEvent = (
    events.QueueEntered
    | events.QueueLeft
    | events.QueueSwitched
    | events.QueueAlarmed
    | events.CallerMoved
    | events.RequirementRelaxed
    | events.OfferDecided
    | events.AgentOffered
    | events.AgentDeclined
    | events.AgentConnected
    | events.AgentStateChanged
    | events.WrapUpEnded
    | events.RecordAmended
    | events.CallbackBooked
    | events.CallbackTried
    | events.CallbackEnded
    | events.TransferStarted
    | events.TransferEnded
    | events.CallerChanged
    | events.LegBrought
    | events.CallJoined
)

_QueueEvent = (
    events.QueueEntered
    | events.QueueLeft
    | events.QueueSwitched
    | events.QueueAlarmed
    | events.CallerMoved
    | events.RequirementRelaxed
    | events.OfferDecided
)


def in_the_centre(event: CentreEvent) -> str:
    """Return what happened with queues, agents, call-backs and transfers."""
    match event:
        case events.AgentOffered() | events.AgentDeclined() | events.AgentConnected():
            return _agent_of_call(event)
        case events.AgentStateChanged() | events.WrapUpEnded() | events.RecordAmended():
            return _agent(event)
        case events.CallbackBooked() | events.CallbackTried() | events.CallbackEnded():
            return _callback(event)
        case events.TransferStarted():
            asked = " after asking there" if event.kind == "attended" else ""
            return f"{event.by or 'an administrator'} hands it on to {event.to}{asked}"
        case events.TransferEnded():
            became = TRANSFERRED.get(event.result, event.result)
            return f"the transfer to {event.to} {became}"
        case events.CallerChanged():
            return f"the call is that of leg {event.leg} from now on"
        case events.LegBrought():
            return f"{event.number} comes over from call {event.from_call}"
        case events.CallJoined():
            return f"goes on as part of call {event.into}"
        case _:
            return _queue(event)


def _queue(event: _QueueEvent) -> str:
    match event:
        case events.QueueEntered():
            counts = f"; {length(event.waited_s)} count already" if event.waited_s else ""
            rank = f" with priority {event.priority}" if event.priority else ""
            return f"waits in queue {event.queue}{rank}{counts}"
        case events.QueueLeft():
            return f"waits no longer in queue {event.queue}: {LEFT.get(event.result, event.result)}"
        case events.QueueSwitched():
            state = "is open again" if event.open else "takes no new callers"
            return f"queue {event.queue} {state}{_by(event.by)}"
        case events.QueueAlarmed():
            return f"alarm: {event.text}" if event.on else f"no alarm any more: {event.text}"
        case events.CallerMoved():
            where = f"moves on to queue {event.to}" if event.to else "becomes the first"
            return f"{where}, from its place in queue {event.queue}{_by(event.by)}"
        case events.RequirementRelaxed():
            enough = with_skills(event.skills)
            return f"after {length(event.waited_s)} of waiting {enough} will do"
        case events.OfferDecided():
            chosen = listed(event.chosen) if event.chosen else "nobody"
            return (
                f"queue {event.queue} offers it to {chosen} ({event.strategy}), "
                f"{length(event.waited_s)} waited, {counted(event.waiting, 'caller')} in the queue"
            )


def _agent_of_call(
    event: events.AgentOffered | events.AgentDeclined | events.AgentConnected,
) -> str:
    match event:
        case events.AgentOffered():
            notes = f", with the note: {'; '.join(event.notes)}" if event.notes else ""
            return f"agent {event.agent} sees the call of {event.caller}{notes}"
        case events.AgentDeclined():
            return f"agent {event.agent} {DECLINED.get(event.reason, event.reason)}"
        case events.AgentConnected():
            return f"agent {event.agent} has the call, from queue {event.queue}"


def _agent(event: events.AgentStateChanged | events.WrapUpEnded | events.RecordAmended) -> str:
    match event:
        case events.AgentStateChanged():
            because = f" ({event.reason})" if event.reason else ""
            return (
                f"agent {event.agent} is {STATES[event.state]}{because}, "
                f"was {STATES[event.previous]} for {length(event.seconds)}"
            )
        case events.WrapUpEnded():
            result = f": {event.disposition}" if event.disposition else ""
            return (
                f"agent {event.agent} is done with the call after {length(event.seconds)}{result}"
            )
        case events.RecordAmended():
            return f"noted by {event.by or 'somebody'}: {_noted(event)}"


def _callback(
    event: events.CallbackBooked | events.CallbackTried | events.CallbackEnded,
) -> str:
    match event:
        case events.CallbackBooked():
            return f"is to be called back at {event.number}, and keeps its place"
        case events.CallbackTried():
            return f"call-back, try {event.tries}: {event.result.replace('_', ' ')}"
        case events.CallbackEnded():
            agent = f" by agent {event.agent}" if event.agent else ""
            return f"call-back over: {event.result}{agent}, {length(event.waited_s)} after it began"


def _by(who: str) -> str:
    return f", by {who}" if who else ""


def _noted(event: events.RecordAmended) -> str:
    said = (("disposition", event.disposition), ("note", event.note))
    return ", ".join(f"{what} {text or 'taken back'}" for what, text in said if text is not None)

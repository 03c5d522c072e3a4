"""Agents in a call: to whom it was offered, who took it, and each one's part of it. Pure.

An offer begins when the agent's phone is about to ring. Who talks in a call that an agent took, and
was offered nothing, got it from a colleague: that is a part of its own, `transferred`. Seconds of
talk are those of the record's segments; a hold belongs to whoever talked before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pbx import events
from pbx.cdr.open_call import Offer, OpenCall, Span
from pbx.cdr.record import AgentPart, utc_text
from pbx.events import Event

WITHDRAWN: Final = "withdrawn"
TRANSFERRED: Final = "transferred"


def phone_answered(call: OpenCall, number: str) -> None:
    """Note that an agent's phone rings no longer: it was answered."""
    _change(call, number, lambda offer: offer.answered_at(call.now))


def _offered(call: OpenCall, event: events.AgentOffered) -> None:
    call.offers = (*call.offers, Offer(event.agent, event.queue, call.now))


def _declined(call: OpenCall, event: events.AgentDeclined) -> None:
    if _change(call, event.agent, lambda offer: offer.over(call.now, event.reason)):
        return
    # Never rung: an agent without a phone may be asked every few seconds, and stands there once.
    if any(each.agent == event.agent and each.result == event.reason for each in call.offers):
        return
    never_rung = Offer(event.agent, event.queue, call.now).over(call.now, event.reason)
    call.offers = (*call.offers, never_rung)


def _connected(call: OpenCall, event: events.AgentConnected) -> None:
    if call.agent is None:
        call.agent = event.agent
    if call.queue is None:
        call.queue = event.queue
    # In a call-back it is the customer who is called, by an agent who is the caller, or became it.
    leads = event.leg == call.caller_leg or call.partner not in ("", event.agent)
    if not _change(call, event.agent, lambda offer: offer.taken(call.now, leads=leads)):
        taken = Offer(event.agent, event.queue, call.now).taken(call.now, leads=leads)
        call.offers = (*call.offers, taken)


def _change(call: OpenCall, agent: str, change: Callable[[Offer], Offer]) -> bool:
    """Change the agent's open offer; False where there is none."""
    for place, offer in enumerate(call.offers):
        if offer.agent == agent and not offer.result:
            call.offers = (*call.offers[:place], change(offer), *call.offers[place + 1 :])
            return True
    return False


def _later(call: OpenCall, event: Event) -> None:
    call.later = (*call.later, event)


OFFERS: Final[Mapping[type[Event], Callable[[OpenCall, Any], None]]] = {
    events.AgentOffered: _offered,
    events.AgentDeclined: _declined,
    events.AgentConnected: _connected,
    events.WrapUpEnded: _later,
    events.RecordAmended: _later,
    events.CallbackBooked: _later,
    events.CallbackEnded: _later,
}
"""One step per event; fold.py adds them to its own."""


# -- the parts of a record -------------------------------------------------------------------------


class _Work:
    """What one agent had to do, as it is added up."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.talk = 0
        self.hold = 0


def agent_parts(call: OpenCall) -> tuple[AgentPart, ...]:
    """Return each agent's part of a call that is over, in the order of their beginning."""
    if not call.offers:
        return ()
    works = [_Work(offer) for offer in call.offers]
    current: _Work | None = None
    for span in sorted(call.closed, key=_by_start):
        length = span.end - span.start
        if span.kind == "talk":
            current = _worker(call, works, span)
            if current is not None:
                current.talk += length
        elif span.kind == "hold" and current is not None:
            current.hold += length
    works.sort(key=lambda work: work.offer.start)
    return tuple([_part(call, work) for work in works])


def _worker(call: OpenCall, works: list[_Work], span: Span) -> _Work | None:
    """Return who did the talking of a span; a colleague is added to `works`."""
    taken = [work for work in works if work.offer.result in ("answered", TRANSFERRED)]
    before = [work for work in taken if work.offer.start <= span.start]
    if not before:
        return None
    own = [work for work in before if work.offer.agent == span.number]
    if own:
        return max(own, key=lambda work: work.offer.start)
    leading = [work for work in before if work.offer.leads]
    if leading:
        return leading[-1]
    if _is_outside(call, span.number):
        return None
    queue = before[0].offer.queue
    ring = _ring_before(call, span)
    colleague = Offer(span.number, queue, span.start - ring, span.start, TRANSFERRED)
    works.append(_Work(colleague))
    return works[-1]


def _ring_before(call: OpenCall, span: Span) -> int:
    """Return how long the colleague's phone rang before the talk."""
    for ring in call.closed:
        if ring.kind == "ring" and ring.number == span.number and ring.end == span.start:
            return ring.end - ring.start
    return 0


def _is_outside(call: OpenCall, number: str) -> bool:
    return any(party.outside for party in call.parties.values() if party.number == number)


def _part(call: OpenCall, work: _Work) -> AgentPart:
    offer = work.offer
    rang_until = call.ended if offer.rang_until is None else offer.rang_until
    return AgentPart(
        agent=offer.agent,
        queue=offer.queue,
        began_at=utc_text(call.started_ms + offer.start),
        result=offer.result or WITHDRAWN,
        ring_s=max(0, rang_until - offer.start) / 1000,
        talk_s=work.talk / 1000,
        hold_s=work.hold / 1000,
    )


def _by_start(span: Span) -> int:
    return span.start

"""Why a call went as it did: its events as sentences, each offer with what became of it. Pure.

What is told leads somewhere: the caller's way, who was rung and why nobody answered, each offer of
a queue with its reasons, lesser skills, moves, transfers, the end. Sound, keys and recordings are
the trace's to tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from pbx import events
from pbx.acd.keeping import Stretch
from pbx.api.views import utc_text
from pbx.api.why_views import CallWhy, Decision, WhyStep
from pbx.events.bus import Stamped
from pbx.sentences import sentence
from pbx.sentences.words import DECLINED, LEFT, STATES, counted, length, listed

TOLD: Final = (
    events.StepTaken
    | events.MenuLeft
    | events.VoicemailEntered
    | events.VoicemailLeft
    | events.ConferenceJoined
    | events.SurveyAnswered
    | events.SupervisorJoined
    | events.PartyReleased
    | events.QueueEntered
    | events.QueueLeft
    | events.RequirementRelaxed
    | events.CallerMoved
    | events.CallbackBooked
    | events.CallbackTried
    | events.CallbackEnded
    | events.TransferStarted
    | events.TransferEnded
    | events.LegBrought
    | events.CallJoined
    | events.WrapUpEnded
)
"""What is told in the words of the trace."""


TOLD_WHY: Final = frozenset({"paused", "unreachable"})
"""States whose reasons are told."""

MOST_TOLD: Final = 10
"""Agents of whom it is told one by one what they did."""


def waited_for_nobody(story: Sequence[Stamped]) -> bool:
    """Tell whether a call waited in a queue and was not offered to anybody."""
    kinds = {type(stamped.event) for stamped in story}
    return events.QueueEntered in kinds and events.OfferDecided not in kinds


def explain_call(story: Sequence[Stamped], stretches: Sequence[Stretch] = ()) -> CallWhy:
    """Return why a call went as it did; `story` are its events in order, at least one.

    `stretches` are what all agents did while one waited that was offered to nobody.
    """
    steps = tuple(_steps(story, stretches))
    started = _started(story)
    return CallWhy(
        call=story[0].event.call,
        caller=started.caller if started else "",
        called=started.called if started else "",
        summary=_summary(story, started),
        steps=steps,
    )


def _started(story: Sequence[Stamped]) -> events.CallStarted | None:
    return next((each.event for each in story if isinstance(each.event, events.CallStarted)), None)


def _steps(story: Sequence[Stamped], stretches: Sequence[Stretch]) -> Iterator[WhyStep]:
    legs = {
        each.event.leg: each.event for each in story if isinstance(each.event, events.LegInvited)
    }
    answered: set[int] = set()
    entered = story[0].at
    for index, stamped in enumerate(story):
        event, text, decision = stamped.event, "", None
        if isinstance(event, events.LegAnswered):
            answered.add(event.leg)
        if isinstance(event, events.QueueEntered):
            entered = stamped.at
        if isinstance(event, events.QueueLeft) and (
            did := meanwhile(stretches, entered, stamped.at)
        ):
            yield _step(stamped, story[0], did, None)
        if isinstance(event, events.OfferDecided):
            decision = _decision(event, story[index + 1 :])
            text = sentence(event)
        elif isinstance(event, events.LegEnded):
            text = "" if event.leg in answered else _unanswered(event, legs.get(event.leg))
        else:
            text = _text(event, legs)
        if text:
            yield _step(stamped, story[0], text, decision)


def _step(stamped: Stamped, first: Stamped, text: str, decision: Decision | None) -> WhyStep:
    return WhyStep(
        at=utc_text(stamped.at),
        after_s=round(stamped.monotonic - first.monotonic, 3),
        text=text,
        decision=decision,
    )


def _text(event: events.AnyEvent, legs: dict[int, events.LegInvited]) -> str:
    """Return one event in words; nothing for what leads nowhere."""
    match event:
        case events.CallStarted():
            name = f" ({event.caller_name})" if event.caller_name else ""
            line = f" over {event.trunk}" if event.trunk else ""
            return f"{event.caller}{name} calls {event.called}{line}"
        case events.CallRouted():
            return f"goes to {event.destination}"
        case events.LegInvited(role="called" | "consulted"):
            return f"rings {event.number}" + (f" over {event.trunk}" if event.trunk else "")
        case events.LegAnswered() if event.leg in legs and legs[event.leg].role != "caller":
            return f"{legs[event.leg].number} answers"
        case events.CallEnded():
            return f"is over: {event.result} ({event.reason}), ended by the {event.ended_by}"
        case _:
            return sentence(event) if isinstance(event, TOLD) else ""


def _unanswered(event: events.LegEnded, leg: events.LegInvited | None) -> str:
    if leg is None or leg.role == "caller":
        return ""
    code = f" ({event.sip_status})" if event.sip_status else ""
    ended = "is rung no longer" if event.by == "local" else "does not take it"
    return f"{leg.number} {ended}: {event.reason.replace('_', ' ')}{code}"


def meanwhile(stretches: Sequence[Stretch], since: float, until: float) -> str:
    """Return what the agents did most of the time in between; nothing where that is not known."""
    spent: dict[str, Counter[str]] = {}
    for stretch in stretches:
        inside = min(stretch.until, until) - max(stretch.since, since)
        if inside > 0:
            reason = f" ({stretch.reason})" if stretch.state in TOLD_WHY else ""
            free = ", but not for this caller" if stretch.state == "available" else ""
            words = f"{STATES[stretch.state]}{reason}{free}"
            spent.setdefault(stretch.agent, Counter())[words] += max(1, round(inside * 1000))
    most = {agent: counts.most_common(1)[0][0] for agent, counts in spent.items()}
    there = [f"{agent} {did}" for agent, did in most.items() if did != STATES["logged_out"]]
    parts = there[:MOST_TOLD]
    if len(there) > MOST_TOLD:
        parts.append(f"{len(there) - MOST_TOLD} more at work")
    if len(most) > len(there):
        parts.append(f"{len(most) - len(there)} logged out")
    return f"meanwhile, of all agents: {'; '.join(parts)}" if parts else ""


# -- offers ----------------------------------------------------------------------------------


def _decision(event: events.OfferDecided, after: Sequence[Stamped]) -> Decision:
    return Decision(
        queue=event.queue,
        strategy=event.strategy,
        waited_s=event.waited_s,
        waiting=event.waiting,
        chosen=event.chosen,
        candidates=event.candidates,
        others=dict(event.others),
        outcome={agent: _became(agent, after) for agent in event.chosen},
    )


def _became(agent: str, after: Sequence[Stamped]) -> str:
    """Return what an agent did with an offer, as far as it is known."""
    for stamped in after:
        match stamped.event:
            case events.AgentDeclined(agent=who) if who == agent:
                return DECLINED.get(stamped.event.reason, stamped.event.reason)
            case events.AgentConnected(agent=who) if who == agent:
                return "took it"
            case events.OfferDecided(chosen=chosen) if agent in chosen:
                break
            case events.QueueLeft(result=result):
                return f"was spared: {LEFT.get(result, result)}"
    return "not known"


# -- summary ---------------------------------------------------------------------------------


def _summary(story: Sequence[Stamped], started: events.CallStarted | None) -> str:
    parts = []
    if started is not None:
        parts.append(f"{started.caller} called {started.called}.")
    parts += _visits(story)
    ended = next((each for each in story if isinstance(each.event, events.CallEnded)), None)
    if ended is None or not isinstance(ended.event, events.CallEnded):
        joined = next((each.event for each in story if isinstance(each.event, _JOINED)), None)
        parts.append("It goes on." if joined is None else f"It went on as call {joined.into}.")
    else:
        took = length(ended.monotonic - story[0].monotonic)
        reason = ended.event.reason.replace("_", " ")
        result = ended.event.result.replace("_", " ")
        because = "" if reason in (result, "normal", "bye") else f" ({reason})"
        parts.append(f"After {took} it was over: {result}{because}.")
    return " ".join(parts)


_JOINED = events.CallJoined


def _visits(story: Sequence[Stamped]) -> Iterator[str]:
    """Yield a sentence for each visit to a queue; where there is none, for whom it rang at."""
    entered: Stamped | None = None
    offers: list[str] = []
    relaxed = 0
    visits = 0
    for index, stamped in enumerate(story):
        match stamped.event:
            case events.QueueEntered():
                entered, offers, relaxed = stamped, [], 0
            case events.RequirementRelaxed():
                relaxed += 1
            case events.OfferDecided(chosen=chosen):
                after = story[index + 1 :]
                offers += [f"{agent}, who {_became(agent, after)}" for agent in chosen]
            case events.QueueLeft() if entered is not None:
                visits += 1
                yield _visit(stamped.event, stamped.monotonic - entered.monotonic, offers, relaxed)
                entered = None
    if entered is not None and isinstance(entered.event, events.QueueEntered):
        visits += 1
        yield f"It waits in queue {entered.event.queue}; offered so far: {_offers(offers)}."
    if not visits:
        yield from _rung(story)


def _visit(event: events.QueueLeft, waited: float, offers: list[str], relaxed: int) -> str:
    lesser = f" Its wishes were relaxed {counted(relaxed, 'time')}." if relaxed else ""
    end = LEFT.get(event.result, event.result)
    return (
        f"It waited {length(waited)} in queue {event.queue} and was offered to {_offers(offers)}; "
        f"then: {end}.{lesser}"
    )


def _offers(offers: list[str]) -> str:
    return listed(offers) if offers else "nobody"


def _rung(story: Sequence[Stamped]) -> Iterator[str]:
    legs = {
        each.event.leg: each.event.number
        for each in story
        if isinstance(each.event, events.LegInvited) and each.event.role == "called"
    }
    if not legs:
        yield "Nobody was rung."
        return
    answered = [
        legs[each.event.leg]
        for each in story
        if isinstance(each.event, events.LegAnswered) and each.event.leg in legs
    ]
    rung = listed(dict.fromkeys(legs.values()))
    took = f"{listed(dict.fromkeys(answered))} answered" if answered else "nobody answered"
    yield f"{rung} rang, {took}."

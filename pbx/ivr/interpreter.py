"""The interpreter: takes a caller from place to place until the call is over.

One loop, no recursion: each place returns the next. `back` is the menu before the last one,
`repeat` the last, `operator` what the defaults say, `stay` the queue that a caller waits in.
Whoever takes too many steps or too long is given to the operator, or told good-bye: no plan can
keep a caller for ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from pbx.call.outcome import Outcome, OutcomeKind
from pbx.call.queued import STAYS
from pbx.ivr import asking
from pbx.ivr.endings import TAKEN, hung_up, unreached
from pbx.ivr.menu import choice_of, menu
from pbx.ivr.run import Exhausted, Run
from pbx.plan.destination import REPEAT, Destination
from pbx.plan.model import Conference, Mailbox, Menu, NumberRoute, Queue, RingGroup
from pbx.plan.step import NOWHERE, Mark

OUTSIDE: Final = frozenset({"ext", "ring", "number", "conference", "queue", "voicemail"})
"""Kinds of places that other rooms bring."""

Place = Callable[[Run, str], Awaitable[Destination | Outcome]]


async def route(run: Run, number: NumberRoute) -> Outcome:
    """Take a call to where its number starts."""
    run.stand(kind="numbers", mark=number.mark)
    if number.language is not None:
        run.set_language(number.language)
    if number.tag is not None:
        run.tag(number.tag)
    run.tell(number.number, f"→ {number.destination}")
    return await travel(run, number.destination)


async def travel(run: Run, place: Destination) -> Outcome:
    """Take the caller to `place`, and on from there until the call is over."""
    following: Destination | Outcome = place
    try:
        while isinstance(following, Destination):
            following = await _enter(run, following)
    except Exhausted as exhausted:
        following = await _exhausted(run, exhausted)
    return following


async def keyed_in_queue(run: Run, queue: Queue) -> Outcome:
    """Do what a waiting caller keys: the first key waits. What means nothing changes nothing."""
    run.stand(kind="queue", mark=queue.mark)
    keys = Menu(queue.name, (), queue.keys, mark=queue.mark, key_marks=queue.key_marks)
    try:
        following = await choice_of(run, keys)
    except Exhausted as exhausted:
        return await _exhausted(run, exhausted)
    if isinstance(following, Destination) and following != REPEAT:
        return await travel(run, following)
    return following if isinstance(following, Outcome) else STAYS


async def _enter(run: Run, place: Destination) -> Destination | Outcome:
    run.count()
    if place.kind in OUTSIDE:
        run.stand(kind=place.kind, mark=_mark_of(run, place))
        outcome = await run.go(place)
        following = run.after(place, outcome)
        if isinstance(following, Outcome):
            await _farewell(run, outcome)
        return following
    return await PLACES[place.kind](run, place.name)


async def _flow(run: Run, name: str) -> Destination | Outcome:
    flow = run.plan.flows[name]
    run.stand(kind="flow", mark=flow.mark)
    run.tell(name, "begins")
    following = await run.steps(flow.steps)
    if following is not None:
        return following
    run.stand(kind="flow", mark=flow.mark)
    run.tell(name, "ends: hang up")
    if run.world.answered:
        await run.say(run.phrase("goodbye"))
    return hung_up(answered=run.world.answered, reason="flow_ended")


async def _survey(run: Run, name: str) -> Destination | Outcome:
    survey = run.plan.surveys[name]
    run.stand(kind="survey", mark=survey.mark)
    await asking.survey(run, survey)
    return hung_up(answered=run.world.answered, reason="survey_ended")


async def _operator(run: Run, _: str) -> Destination | Outcome:
    meant = run.plan.defaults.operator
    run.stand(kind="operator", mark=NOWHERE)
    if meant is None:
        run.tell("", "nobody: defaults has no operator")
        await run.say(run.phrase("number-not-available"))
        return hung_up(answered=run.world.answered, reason="no_operator")
    run.tell("", f"→ {meant}")
    return meant


async def _back(run: Run, _: str) -> Destination | Outcome:
    del run.menus[-1:]
    return await _repeat(run, "")


async def _repeat(run: Run, _: str) -> Destination | Outcome:
    """Go to the menu that the caller was in last."""
    if not run.menus:
        run.tell("", "no menu was left: hang up", kind="back")
        return hung_up(answered=run.world.answered, reason="no_menu_left")
    return Destination("menu", run.menus.pop())


async def _stay(run: Run, _: str) -> Destination | Outcome:
    """Let a caller wait on in the queue whose menu this is; elsewhere, go to the last menu."""
    if not run.world.queue:
        return await _repeat(run, "")
    run.tell("", "waits on", kind="stay")
    return STAYS


async def _callback(run: Run, _: str) -> Destination | Outcome:
    outcome = await run.go(Destination("callback"), number=run.world.caller.number)
    if outcome.kind is not OutcomeKind.FAILED:
        return outcome
    if run.menus:
        return await _repeat(run, "")
    return STAYS if run.world.queue else outcome


async def _hangup(run: Run, _: str) -> Destination | Outcome:
    run.tell("", "hang up", kind="hangup")
    return hung_up(answered=run.world.answered)


def _mark_of(run: Run, place: Destination) -> Mark:
    sections: Mapping[str, Mapping[str, RingGroup | Queue | Mailbox | Conference]] = {
        "ring": run.plan.ring_groups,
        "queue": run.plan.queues,
        "voicemail": run.plan.voicemail,
        "conference": run.plan.conferences,
    }
    entry = sections.get(place.kind, {}).get(place.name)
    return run.step.mark if entry is None else entry.mark


PLACES: Final[Mapping[str, Place]] = {
    "flow": _flow,
    "menu": menu,
    "survey": _survey,
    "operator": _operator,
    "back": _back,
    "repeat": _repeat,
    "stay": _stay,
    "callback": _callback,
    "hangup": _hangup,
}
"""Kinds of places that are the interpreter's own."""


async def _farewell(run: Run, outcome: Outcome) -> None:
    """Tell a caller who reached nobody, and for whom nothing follows."""
    if run.world.answered and outcome.status != TAKEN:
        await run.say(run.phrase("number-not-available"), run.phrase("goodbye"))


async def _exhausted(run: Run, exhausted: Exhausted) -> Outcome:
    """Give the caller to a person, if the operator is one; else end politely."""
    run.world.complain(f"was in menus for too long ({exhausted.reason}); mend the dialplan")
    run.stand(kind="limit", mark=run.step.mark)
    operator = run.plan.defaults.operator
    if operator is not None and operator.kind in OUTSIDE:
        run.tell("", f"{exhausted.reason} → operator → {operator}")
        outcome = await run.go(operator)
        await _farewell(run, outcome)
        return unreached(outcome, answered=run.world.answered)
    run.tell("", f"{exhausted.reason}: hang up")
    if run.world.answered:
        await run.say(run.phrase("goodbye"))
    return hung_up(answered=run.world.answered, reason="too_many_steps")

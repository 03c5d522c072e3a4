"""The destinations `queue` and `callback`.

No agent can log in to this version, so every queue is without agents: the caller hears that all of
them are busy, and what follows is what the dialplan says for `if_no_agents`. Nobody can be called
back either; the caller is told so, and the step's `refused` follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pbx.call.outcome import TEMPORARY_FAILURE, Outcome, OutcomeKind, failed
from pbx.call.routing import Destinations
from pbx.call.speaking import say
from pbx.events import QueueEntered, QueueLeft
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.call.call import Call

NO_AGENTS: Final = Outcome(
    OutcomeKind.NO_AGENTS, "failed", "no_agents", 480, TEMPORARY_FAILURE, "system"
)


def register(destinations: Destinations) -> None:
    """Add the kinds of this package."""
    destinations.register("queue", queue)
    destinations.register("callback", callback)


async def queue(call: Call, name: str, **_wishes: object) -> Outcome:
    """Tell a caller that all agents are busy; the destination kind `queue`.

    Wishes (`priority`, `agent`, `skills`) say which agent, and there is none.
    """
    if name not in call.plan.queues:
        return failed(404, "unknown_number")
    call.emit(QueueEntered(call=call.id, queue=name))
    result = "left"
    try:
        with call.if_left("abandoned"):
            await _tell(call, "all-agents-busy")
        result = "no_agents"
    finally:
        call.emit(QueueLeft(call=call.id, queue=name, result=result))
    return NO_AGENTS


async def callback(
    call: Call, _name: str = "", *, number: str = "", window: str | None = None
) -> Outcome:
    """Tell a caller that nobody calls back; the destination kind `callback`.

    `number` is whom to call, `window` the schedule that says when.
    """
    call.caller.answer(call.caller.speaks())
    call.connected()
    await _tell(call, "callback-not-available")
    return failed(480, "callback_not_available")


async def _tell(call: Call, name: str) -> None:
    """Answer a call that was not yet, and say a phrase."""
    caller = call.caller
    caller.answer(caller.speaks())
    await say(caller, phrase(name, call.language))

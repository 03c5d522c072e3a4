"""The destination `callback`: a caller who waits, or who would, is called back instead.

In a queue the caller keeps the place: when the wait began, its priority, the skills that it wants,
its language. Elsewhere the wait begins now, in the queue that is named, or the dialplan's operator.
The caller hears the number and confirms it, or enters another. Who withholds its number, or has one
that cannot be called, has to enter one. Nobody can be made to call for help, or a country that the
caller does not call from. After three inputs of no use the caller waits on, or is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pbx.call.keys import Wanted, collect
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, failed
from pbx.call.speaking import say
from pbx.events import CallbackBooked
from pbx.plan.destination import OPERATOR
from pbx.plan.dialling import is_help, leads_abroad, rule_for
from pbx.plan.numbering import dialled
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.acd.callbacks import Callbacks
    from pbx.acd.floor import Floor
    from pbx.call.call import Call
    from pbx.call.routing import Destinations
    from pbx.speech.saying import Saying

TRIES: Final = 3
"""Inputs that are missing or of no use before it is given up."""

CONFIRMING: Final = Wanted(least=1, most=1, end_key="", first_s=8.0)
ENTERING: Final = Wanted(least=1, most=20, end_key="#", first_s=10.0, between_s=5.0)

CONFIRM: Final = "1"
ANOTHER: Final = "2"

MOST_INPUTS: Final = 10
"""Inputs of one caller, whatever they are."""

BOOKED: Final = Outcome(
    OutcomeKind.LEFT, "answered", "callback_booked", 200, NORMAL_CLEARING, "system"
)
"""What becomes of a call in which a call-back was booked."""

REFUSED: Final = failed(480, "callback_not_available")


class CallbackKind:
    """What takes a call to the destination `callback`."""

    def __init__(self, callbacks: Callbacks, floor: Floor) -> None:
        self._callbacks = callbacks
        self._floor = floor

    def register(self, destinations: Destinations) -> None:
        """Put the kind `callback` into the registry."""
        destinations.register("callback", self.callback)

    async def callback(
        self, call: Call, name: str = "", *, number: str = "", window: str | None = None
    ) -> Outcome:
        """Agree with a caller on a number to be called back at, and note it.

        `name` is the queue, `number` whom to call, `window` the schedule that says when. A caller
        who has agreed hears so, and the call is over; `FAILED` is the outcome for any other.
        """
        waiting = self._floor.engine.waiting(call.id)
        caller = call.caller
        caller.answer(caller.speaks())
        queue = name or (_operator(call) if waiting is None else waiting.queue)
        if queue not in call.plan.queues or not _can_call_out(call, number):
            if waiting is None:
                call.connected()
            await _say(call, "callback-not-available")
            return REFUSED
        agreed = await self._agreed(call, number or call.who.number)
        waiting = self._floor.engine.waiting(call.id)
        if agreed is None:
            await _say(call, "callback-not-available" if waiting is None else "callback-not-booked")
            return failed(480, "callback_not_booked")
        now = call.exchange.now()
        booked = self._callbacks.book(
            call=call.id,
            queue=queue,
            number=agreed,
            began=now if waiting is None else waiting.joined_at,
            language=call.language,
            priority=0 if waiting is None else waiting.priority,
            skills=None if waiting is None else waiting.skills,
            agent=None if waiting is None else waiting.agent,
            hours=window,
        )
        if booked.call == call.id:
            call.emit(
                CallbackBooked(call=call.id, callback=booked.id, queue=queue, number=booked.number)
            )
        call.connected()
        if call.queued is not None:
            call.queued.leave("callback")
        await _say(call, "callback-booked")
        return BOOKED

    async def _agreed(self, call: Call, offered: str) -> str | None:
        """Return the number that the caller confirms; None where none is agreed on."""
        caller, useless = call.caller, 0
        number = offered if may_be_called(call, offered) else None
        for _ in range(MOST_INPUTS):
            if number is None:
                asked = phrase("callback-enter-number", call.language)
                number = await _keyed(call, ENTERING, asked) or ""
                if number and may_be_called(call, number):
                    continue
                useless += 1
                told, number = "callback-wrong-number" if number else "no-input-repeat", None
            else:
                key = await _keyed(call, CONFIRMING, _confirm(call, number))
                if key == CONFIRM:
                    return number
                if key == ANOTHER:
                    number = None
                    continue
                useless += 1
                told = "invalid-key" if key else "no-input-repeat"
            if useless == TRIES:
                break
            caller.keys.clear()
            await _say(call, told)
        return None


def may_be_called(call: Call, number: str) -> bool:
    """Tell whether a number can be called back: an office's phone, or one that a rule of `outbound`
    has; none that calls for help, and abroad only the caller's own."""
    exchange, plan = call.exchange, call.plan
    if exchange.directory.extension(number) is not None:
        return True
    if not re.fullmatch(r"\+?[0-9]{3,20}", number):
        return False
    country = plan.defaults.country
    digits = dialled(number, country)
    rule = rule_for(plan, digits)
    if rule is None or is_help(plan, digits):
        return False
    own = plan.spelled(number) == plan.spelled(call.who.number)
    return own or not leads_abroad(rule, digits, country)


def _can_call_out(call: Call, number: str) -> bool:
    """Tell whether there is any number that the caller could agree to."""
    return bool(call.plan.outbound) or may_be_called(call, number or call.who.number)


def _operator(call: Call) -> str:
    """Return the queue that the operator is; empty where it is none."""
    operator = call.plan.resolved(OPERATOR)
    return operator.name if operator is not None and operator.kind == "queue" else ""


def _confirm(call: Call, number: str) -> Saying:
    digits = dialled(number, call.plan.defaults.country)
    return phrase("callback-confirm", call.language, number=digits)


async def _keyed(call: Call, wanted: Wanted, asked: Saying) -> str | None:
    """Ask for keys; afterwards keys are listened for as before."""
    caller = call.caller
    try:
        sources = await call.settings.speaker.sources(asked)
        return await collect(caller, wanted, prompt=sources)
    finally:
        caller.media.watch(keys=True)


async def _say(call: Call, name: str) -> None:
    await say(call.caller, phrase(name, call.language), interrupt=False)

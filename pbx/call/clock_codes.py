"""The codes that tell a phone something: `*60` the time, `*65` its own number.

Each is said twice in the caller's language, and then the call ends. What is said is there before
the call is answered, so that the answer is not followed by silence.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind
from pbx.plan.opening import zone_named
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying

if TYPE_CHECKING:
    from pbx.call.call import Call

GAP: Final = "silence:500"
"""What separates the two times."""


async def tell_time(call: Call) -> Outcome:
    """Say the office's time of day; the feature `time`."""
    zone = zone_named(call.plan.defaults.timezone)
    now = datetime.fromtimestamp(call.exchange.clock.wall(), zone)
    return await _told(call, phrase("time-is", call.language, when=f"{now:%H:%M}"))


async def tell_number(call: Call) -> Outcome:
    """Say the number that the caller has; the feature `own_number`."""
    return await _told(call, phrase("your-number-is", call.language, number=call.who.number))


async def _told(call: Call, saying: Saying) -> Outcome:
    sources = await call.settings.speaker.sources(saying)
    call.caller.answer(call.caller.speaks())
    call.connected()
    if sources:
        await call.caller.play(*sources, GAP, *sources)
    return Outcome(OutcomeKind.LEFT, "answered", "told", 200, NORMAL_CLEARING, "system")

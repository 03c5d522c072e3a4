"""The day/night key: who dials it opens or closes the office by hand, until midnight.

`override_key` of a schedule is its code. Dialled while the schedule is open it closes it, else it
opens it; dialled again it leaves all to the schedule. It says what holds now, and ends by itself at
midnight of the schedule's zone. Which phones may dial it is not asked: they are the office's own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, failed
from pbx.call.speaking import answer_with
from pbx.events import StepTaken
from pbx.plan.hours import Schedule, State
from pbx.plan.opening import judge, midnight_after
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.call.call import Call

_PHRASES: Final = {"open": "now-open", "closed": "now-closed"}
_BACK: Final = "back-to-schedule"


class Switches(Protocol):
    """What was switched by hand. Both are quick and work from memory."""

    def state(self, schedule: Schedule, at: datetime) -> State | None:
        """Return what a schedule is switched to; None where it is not, or no longer."""

    def turn(self, schedule: Schedule, state: State | None, until: datetime) -> None:
        """Switch a schedule to `state` until a moment; None leaves it to itself again."""


class DayNight:
    """The feature `day_night`, on the switches that it turns."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    async def turn(self, call: Call, name: str) -> Outcome:
        """Turn the switch of the schedule `name`, say what it is now, and hang up."""
        schedule = call.plan.hours.get(name)
        if schedule is None:
            return failed(404, "unknown_number")
        now = datetime.fromtimestamp(call.exchange.clock.wall(), UTC)
        switched = turned(schedule, now, self._switches.state(schedule, now))
        self._switches.turn(schedule, switched, midnight_after(schedule, now))
        verdict = judge(schedule, now, switched)
        call.emit(
            StepTaken(
                call=call.id,
                kind="hours",
                name=name,
                text=f"→ {verdict.state} ({verdict.reason})",
                file=schedule.mark.file,
                line=schedule.mark.line,
            )
        )
        name = _BACK if switched is None else _PHRASES[switched]
        await answer_with(call, phrase(name, call.language))
        return Outcome(OutcomeKind.LEFT, "answered", "told", 200, NORMAL_CLEARING, "system")


def turned(schedule: Schedule, at: datetime, switched: State | None) -> State | None:
    """Return what the key makes of a schedule that is `switched` so; None: itself again."""
    if switched is not None:
        return None
    return "closed" if judge(schedule, at).state == "open" else "open"

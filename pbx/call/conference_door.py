"""The door of a conference room: PIN, name, and what somebody hears who may not come in.

A PIN may be tried three times a call, and ten times in all before the room is locked to the caller
(pin_lock.py): then it is compared no more, however many calls try at once. Keys are masked from the
first prompt to the last, since impatient people key the next try while they hear that the last was
wrong; so all prompts are there before the first is heard, and nothing is awaited in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pbx.call.keys import Wanted, collect
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind
from pbx.call.speaking import say
from pbx.plan.model import Conference
from pbx.speech.phrases import phrase

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.pin_lock import PinLock, Who

PIN_TRIES: Final = 3
NAME_SECONDS: Final = 3.0
PIN: Final = Wanted(least=1, most=10, end_key="#", first_s=10.0, between_s=4.0)

Pass = Literal["moderator", "member"]


async def admitted(call: Call, rules: Conference, lock: PinLock) -> Pass | None:
    """Ask for the PIN, if the room has one; return None for who did not have it."""
    pins = call.exchange.directory.conference_pins(rules.room)
    if not rules.pin and not (rules.wait_for_moderator and pins is not None):
        return "member"
    who, now = guest(call, rules), call.exchange.now
    prompt = await _sources(call, "conference-pin")
    again = await _sources(call, "conference-wrong-pin", "conference-pin")
    for _ in range(PIN_TRIES):
        if lock.locked(who, now()):
            return None
        pin = await collect(call.caller, PIN, prompt=prompt, secret=True)
        if pin is None and not rules.pin:
            return "member"
        if pin is not None and not lock.locked(who, now()):
            if pins is not None and pins.is_moderators(pin):
                return "moderator"
            if pins is not None and pins.is_members(pin):
                return "member"
            lock.wrong(who, now())
        prompt = again
    return None


def guest(call: Call, rules: Conference) -> Who:
    """Return as whom the lock knows the caller."""
    return rules.room, call.who.trunk or "", call.who.number


async def said_name(call: Call) -> tuple[str, ...]:
    """Ask for the caller's name and take it down; any key ends it. Return what plays it."""
    caller = call.caller
    await caller.play(*await _sources(call, "conference-name"), "tone:beep")
    call.bridge.add(caller)
    caller.keys.clear()
    note = call.exchange.recordings.note(call.bridge, call.id)
    try:
        await caller.keys.next(NAME_SECONDS)
    finally:
        note.stop()
    source = await note.taken()
    return () if source is None else (source,)


async def turned_away(call: Call, reason: str) -> Outcome:
    """Let the caller hear why, and end the call; nobody sees what is keyed meanwhile."""
    name = reason.removeprefix("conference_").replace("_", "-")
    with call.caller.keys.masked():
        await say(call.caller, phrase(f"conference-{name}", call.language), interrupt=False)
    return Outcome(OutcomeKind.FAILED, "rejected", reason, 200, NORMAL_CLEARING, "system")


async def _sources(call: Call, *names: str) -> tuple[str, ...]:
    """Return what plays phrases in the caller's language."""
    return await call.settings.speaker.sources(*(phrase(name, call.language) for name in names))

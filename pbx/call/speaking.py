"""Speaking to a party: sayings become sources, which the party's leg plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pbx.speech.saying import Saying

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.call.leg import Leg


class Speaker(Protocol):
    """What turns sayings into sounds; it has rendered fixed ones before they are needed."""

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return what plays them, as `pbx.media.protocol.Play` names sources.

        What cannot be spoken or found is left out, and told where the administrator sees it.
        """


class Beeps:
    """A speaker without a voice: a beep for each saying. For an exchange that was given none."""

    async def sources(self, *sayings: Saying) -> tuple[str, ...]:
        """Return beeps."""
        return ("tone:beep",) * len(sayings)


async def say(leg: Leg, *sayings: Saying, interrupt: bool = True) -> bool:
    """Let a party hear sayings; a key ends them where they may be interrupted.

    One that was pressed ahead, or while they were made, lets nothing be heard. Return whether all
    was heard to its end.
    """
    sources = await leg.call.settings.speaker.sources(*sayings)
    if interrupt and leg.keys.waiting:
        return False
    if not sources:
        return True
    return await leg.play(*sources, stop_on_key=interrupt)


async def answer_with(call: Call, *sayings: Saying) -> None:
    """Answer a call with sayings; they are there before the answer, so that no silence follows."""
    sources = await call.settings.speaker.sources(*sayings)
    call.caller.answer(call.caller.speaks())
    call.connected()
    if sources:
        await call.caller.play(*sources)

"""What callers of a mailbox hear: phrases and sounds in one go, and the greeting of a box."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pbx.call.prompts import prompt_saying
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying

if TYPE_CHECKING:
    from pbx.call.call import Call
    from pbx.voicemail.boxes import Boxes, Place

BEEP: Final = "tone:beep"


async def hear(call: Call, *parts: Saying | str) -> bool:
    """Let the caller hear sayings, and sounds by their source, until a key is pressed.

    A key that was pressed ahead lets nothing be heard. Return whether all was heard.
    """
    sources: list[str] = []
    for part in parts:
        if isinstance(part, str):
            sources.append(part)
        else:
            sources += await call.settings.speaker.sources(part)
    if call.caller.keys.waiting:
        return False
    return not sources or await call.caller.play(*sources, stop_on_key=True)


def words(call: Call, name: str, **values: str) -> Saying:
    """Return a phrase in the caller's language."""
    return phrase(name, call.language, now=local(call, call.exchange.clock.wall()), **values)


def local(call: Call, at: float) -> datetime:
    """Return `at`, seconds since the epoch, as a clock on the office's wall shows it."""
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(call.plan.defaults.timezone))


def greeting(
    call: Call, boxes: Boxes, place: Place, reason: str | None
) -> tuple[Saying | str, ...]:
    """Return what greets a caller: the owner's own words, the dialplan's prompt, or ours."""
    recorded = boxes.greeting(place.name)
    if recorded is not None:
        return (f"file:{recorded}",)
    prompt = call.plan.prompts.get(place.greeting or "")
    saying = None if prompt is None else prompt_saying(prompt, call.language)
    if saying is not None:
        return (saying,)
    if not place.extension:
        return (words(call, "voicemail-greeting-office"),)
    name = "voicemail-greeting-busy" if reason == "busy" else "voicemail-greeting"
    return (words(call, name, number=place.name),)

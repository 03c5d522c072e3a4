"""`*77`: a prompt of the dialplan is recorded by phone.

The caller keys the prompt's number, as `callpbx prompts` shows it, and the language; speaks after
the tone until `#`; hears it; and says what becomes of it: 5 hear it again, 3 record it again,
9 keep, 7 discard. Only 9 changes anything: who hangs up leaves all as it was. What is kept is
`sounds/LANGUAGE/NAME.wav`, which from then on is played in place of what the dialplan says; a text
with values in it cannot be recorded.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol

from pbx.call.features import Feature
from pbx.call.keys import Wanted, collect
from pbx.call.outcome import NORMAL_CLEARING, Outcome, OutcomeKind, failed
from pbx.errors import Refused
from pbx.plan.model import LANGUAGES, PromptFile, PromptText
from pbx.speech.phrases import phrase
from pbx.speech.saying import Saying

if TYPE_CHECKING:
    from pbx.call.call import Call

log = logging.getLogger(__name__)

NAME: Final = "record_prompt"
CODE: Final = "*77"

END_KEY: Final = "#"
LONGEST: Final = 120.0  # seconds of a prompt
LEAST: Final = 0.5  # seconds: less is a slip of the finger
TRIES: Final = 3

NUMBER: Final = Wanted(least=1, most=4, end_key=END_KEY, first_s=10.0, between_s=4.0)
ONE_KEY: Final = Wanted(least=1, most=1, end_key="", first_s=10.0)

HEAR, AGAIN, KEEP, DISCARD = "5", "3", "9", "7"

GUIDE: Final = ("tone:beep",)


class PromptShelf(Protocol):
    """Where recorded prompts are kept."""

    async def keep_prompt(self, source: str, language: str, name: str) -> None:
        """Make the sound that `source` plays the prompt `name` in `language`; raises Refused."""


def record_prompt(shelf: PromptShelf) -> Feature:
    """Return the feature that records prompts into `shelf`."""

    async def feature(call: Call) -> Outcome:
        """Record a prompt; the feature `record_prompt`."""
        if call.who.trunk is not None:
            return failed(403, "denied")
        call.caller.answer(call.caller.speaks())
        call.connected()
        await _Booth(call, shelf).run()
        return Outcome(OutcomeKind.LEFT, "answered", "left", 200, NORMAL_CLEARING, "system")

    return feature


def _has_values(spoken: PromptFile | PromptText | None) -> bool:
    """Tell whether a prompt says something else to each caller: a recording would not."""
    return isinstance(spoken, PromptText) and not spoken.text.fixed


class _Booth:
    """One caller who records one prompt."""

    def __init__(self, call: Call, shelf: PromptShelf) -> None:
        self._call = call
        self._shelf = shelf
        self._takes = 0

    async def run(self) -> None:
        """Ask what is to be recorded, and do it."""
        name = await self._prompt()
        language = None if name is None else await self._language()
        if name is None or language is None:
            await self._say("goodbye")
        elif _has_values(self._call.plan.prompts[name].spoken.get(language)):
            await self._say("prompt-with-values")
        else:
            await self._record(name, language)

    async def _prompt(self) -> str | None:
        """Return the prompt that the caller wants; None: they gave none, or none that there is."""
        names = list(self._call.plan.prompts)
        for _ in range(TRIES):
            number = await self._asked("enter-prompt-number", NUMBER)
            if number is not None and number.isdigit() and 1 <= int(number) <= len(names):
                return names[int(number) - 1]
            await self._say("invalid-key" if number else "no-input-repeat")
        return None

    async def _language(self) -> str | None:
        for _ in range(TRIES):
            key = await self._asked("choose-language", ONE_KEY)
            if key is not None and key in "123":
                return LANGUAGES[int(key) - 1]
            await self._say("invalid-key" if key else "no-input-repeat")
        return None

    async def _record(self, name: str, language: str) -> None:
        """Record until the caller keeps or discards it."""
        source = await self._take()
        silent = 0
        while silent < TRIES:
            key = None if source is None else await self._asked("prompt-menu", ONE_KEY, source)
            silent = 0 if key is not None else silent + 1
            if key == KEEP and source is not None:
                await self._keep(source, language, name)
                return
            if key == DISCARD:
                break
            if key == AGAIN or source is None:
                source = await self._take()
            elif key not in (HEAR, None):
                await self._say("invalid-key")
        await self._say("prompt-discarded")

    async def _keep(self, source: str, language: str, name: str) -> None:
        try:
            await self._shelf.keep_prompt(source, language, name)
        except Refused as refused:
            log.warning("call %s: prompt %s was not kept: %s", self._call.id, name, refused)
            await self._say("technical-problem")
        else:
            await self._say("prompt-saved")

    async def _take(self) -> str | None:
        """Let the caller speak after the tone; return what plays it, None: there is nothing."""
        call, caller = self._call, self._call.caller
        await self._say("record-after-tone")
        await caller.play(*GUIDE)
        call.bridge.add(caller)
        caller.keys.clear()
        caller.media.watch(keys=True)
        self._takes += 1
        note = call.exchange.recordings.note(call.bridge, f"{call.id}-prompt-{self._takes}")
        began = call.exchange.now()
        try:
            await self._until_end_key(began + LONGEST)
        finally:
            note.stop()
            caller.media.watch(keys=False)
            call.bridge.remove(caller)
        spoke = call.exchange.now() - began
        source = await note.taken()
        return source if spoke >= LEAST else None

    async def _until_end_key(self, due: float) -> None:
        now = self._call.exchange.now
        while now() < due and await self._call.caller.keys.next(due - now()) != END_KEY:
            pass

    async def _asked(self, question: str, wanted: Wanted, *before: str) -> str | None:
        """Play `before` and a question, and return what is keyed."""
        sources = await self._call.settings.speaker.sources(self._phrase(question))
        return await collect(self._call.caller, wanted, prompt=(*before, *sources))

    async def _say(self, name: str) -> None:
        sources = await self._call.settings.speaker.sources(self._phrase(name))
        if sources:
            await self._call.caller.play(*sources)

    def _phrase(self, name: str) -> Saying:
        return phrase(name, self._call.language)

"""Codes that a phone dials: the table of them and what each does.

In this version: `*43` echo test. An unknown code is told so as early media (special information
tone, ITU-T E.180) and then gets 404, so that a caller hears why, and pays nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pbx.call.outcome import Outcome, answered, failed

if TYPE_CHECKING:
    from pbx.call.call import Call

Feature = Callable[["Call"], Awaitable[Outcome]]

CODES: dict[str, str] = {"*43": "echo"}
"""Dialled code → feature name."""

UNKNOWN_CODE = ("tone:special_information",) * 2
"""What tells that a number does not work (ITU-T E.180 §3.3)."""

ANNOUNCEMENT_SECONDS = 10.0
"""The longest that an announcement may take before the caller is told 404 all the same."""


async def echo(call: Call) -> Outcome:
    """Answer and send the caller's own voice back until the caller hangs up."""
    call.caller.answer(call.caller.speaks())
    call.caller.echo()
    call.connected()
    return answered(await call.caller.ended)


async def unknown_code(call: Call) -> Outcome:
    """Play the special information tone before the answer, then refuse with 404."""
    playable = call.caller.speaks().playable()
    if playable.codecs:
        call.caller.progress(playable)
        with suppress(TimeoutError):
            async with asyncio.timeout(ANNOUNCEMENT_SECONDS):
                await call.caller.play(*UNKNOWN_CODE)
    return failed(404, "unknown_code")


FEATURES: dict[str, Feature] = {"echo": echo, "unknown_code": unknown_code}


async def feature(call: Call, name: str) -> Outcome:
    """Run the feature `name`; the destination kind `feature`."""
    return await FEATURES[name](call)
